"""A try of a task by Airflow 3's own task runner, without a supervisor process around it.

Source: `airflow/sdk/execution_time/task_runner.py`, whose `main` does the same with a supervisor at the other end of a
socket; `_run_task` in `airflow/sdk/definitions/dag.py` for triggers that run in place of the triggerer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import import_module
from typing import TYPE_CHECKING, Any, final
from uuid import NAMESPACE_URL, uuid4, uuid5

from orkestra_bridge.runtime.errors import RuntimeSetupError
from orkestra_bridge.runtime.prepare import Instance, dated, prepare, retry_of, run_of
from orkestra_bridge.runtime.real.attempt import Ended, event_of, wait_until
from orkestra_bridge.runtime.real.supervisor import Supervisor

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping
    from pathlib import Path

    from orkestra_bridge.runtime.rundates import Run

BUNDLE = "dags-folder"
"""The bundle that Airflow makes of ``[core] dags_folder`` where nothing else is configured."""


def run(_source: Path, manifest: Mapping[str, Any], event: Mapping[str, Any]) -> Ended:
    """Return how a try ended.

    Raises RuntimeSetupError: the DAG file no longer makes the task.
    """
    _log_plainly()
    return _Attempt(manifest, event).ended()


@final
@dataclass(slots=True)
class _Resume:
    """Where a task goes on that was rescheduled, or deferred."""

    count: int = 0
    began: datetime | None = None
    method: str | None = None
    arguments: Any = None


class _Attempt:
    def __init__(self, manifest: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        self.runner: Any = import_module("airflow.sdk.execution_time.task_runner")
        self.models: Any = import_module("airflow.sdk.api.datamodels._generated")
        self.comms: Any = import_module("airflow.sdk.execution_time.comms")
        self.manifest = manifest
        self.event = event
        workflow = manifest["workflow"]
        self.run: Run = run_of(workflow, event)
        self.try_number = int(event.get("attempt") or 0) + 1
        self.tries = int(retry_of(workflow, event["task_id"]).get("attempts") or 0)
        self.supervisor = Supervisor(workflow, self.run.run_id)
        self.instance: Instance | None = None
        self.log = import_module("structlog").get_logger("airflow.task")

    def ended(self) -> Ended:
        self.runner.SUPERVISOR_COMMS = self.supervisor
        resume = _Resume(began=datetime.now(timezone.utc))
        while True:
            ti = self._parsed(resume)
            state, message, error, context = self._run(ti)
            if state == "up_for_reschedule":
                wait_until(message.reschedule_date)
                self.supervisor.began = resume.began
                resume = _Resume(count=resume.count + 1, began=resume.began)
            elif state == "deferred":
                resume = self._resumed(message, resume)
            else:
                return self._end(state, error, context)

    def _parsed(self, resume: _Resume) -> Any:
        task_id, dag_id = self.event["task_id"], self.manifest["workflow"]["dag_id"]
        parsing = self.runner._airflow_parsing_context_manager
        try:
            with parsing(dag_id=dag_id, task_id=task_id):
                ti = self.runner.parse(self._details(resume), self.log)
        except SystemExit as stop:
            raise RuntimeSetupError(
                f"Airflow does not find task {task_id!r} of DAG {dag_id!r} in {self.manifest['dag_file']}; "
                "the log says what fails when the file is loaded"
            ) from stop
        run = dated(ti.task.dag, self.run, self.manifest["workflow"]["schedule"])
        if run != self.run:  # what Airflow has been told of the run lacks the date
            self.run = run
            return self._parsed(resume)
        if self.instance is None:
            self.instance = prepare(ti.task.dag, self.manifest, self.event)
            self.supervisor.instance = self.instance
        return ti

    def _run(self, ti: Any) -> tuple[str, Any, BaseException | None, Any]:
        context = ti.get_template_context()
        state, message, error = self.runner.run(ti, context, self.log)
        assert self.instance is not None, "parsed before"
        self.instance.ti.state = str(state.value)
        if state.value not in ("up_for_reschedule", "deferred"):
            self.runner.finalize(ti, state, context, self.log, error)
        return str(state.value), message, error, context

    def _resumed(self, message: Any, before: _Resume) -> _Resume:
        """Run the trigger of a task that defers; return where the task goes on."""
        serde = _serde()
        # As it leaves for the supervisor: some versions encode the arguments only then.
        sent = message.model_dump(include={"trigger_kwargs", "next_kwargs"})
        loading: Any = import_module("airflow.sdk._shared.module_loading" if _has_shared() else _LOADING)
        trigger = loading.import_string(message.classpath)(**serde.deserialize(sent["trigger_kwargs"]))
        limit = message.trigger_timeout
        said, payload = event_of(trigger, limit.total_seconds() if limit else None)
        if said:
            return _Resume(before.count, before.began, "__fail__", serde.serialize({"error": said}))
        given = serde.deserialize(sent["next_kwargs"] or {})
        arguments = serde.serialize({**given, "event": payload})
        return _Resume(before.count, before.began, message.next_method, arguments)

    def _end(self, state: str, error: BaseException | None, context: Any) -> Ended:
        assert self.instance is not None, "parsed before"
        if state in ("success", "skipped"):
            return Ended(instance=self.instance, state=state, outlet_events=context["outlet_events"])
        retried = state == "up_for_retry"
        if error is None:
            error = RuntimeError("Airflow's log says why the task failed")
        kinds = {kind.__name__ for kind in type(error).__mro__}
        final = bool(kinds & {"AirflowFailException", "AirflowSensorTimeout"})
        given_up = not retried and self.try_number <= self.tries
        return Ended(instance=self.instance, error=error, final=final or given_up, retried=retried)

    def _details(self, resume: _Resume) -> Any:
        event, run = self.event, self.run
        name = f"{run.run_id}/{event['task_id']}/{event.get('map_index', -1)}/{self.try_number}"
        ti = {
            "id": uuid5(NAMESPACE_URL, name),
            "task_id": event["task_id"],
            "dag_id": self.manifest["workflow"]["dag_id"],
            "run_id": run.run_id,
            "try_number": self.try_number,
            "map_index": int(event.get("map_index", -1)),
            "dag_version_id": uuid4(),
            "pool_slots": 1,
        }
        around = {
            "dag_run": self._dag_run(),
            "task_reschedule_count": resume.count,
            "max_tries": self.tries,
            "variables": [],
            "connections": [],
            "next_method": resume.method,
            "next_kwargs": resume.arguments,
            "xcom_keys_to_clear": [],
            "should_retry": self.try_number <= self.tries,
        }
        details = {
            "ti": _made(self.models.TaskInstance, ti),
            "dag_rel_path": self.manifest["dag_file"],
            "bundle_info": self.models.BundleInfo(name=BUNDLE),
            "start_date": resume.began,
            "ti_context": _made(self.models.TIRunContext, around),
            "sentry_integration": "",
            "requests_fd": 0,
        }
        return _made(self.comms.StartupDetails, details)

    def _dag_run(self) -> Any:
        run = self.run
        values = {
            "dag_id": self.manifest["workflow"]["dag_id"],
            "run_id": run.run_id,
            "logical_date": run.logical_date if run.dated else None,
            "data_interval_start": run.start if run.dated else None,
            "data_interval_end": run.end if run.dated else None,
            "run_after": run.run_after,
            "start_date": run.started,
            "end_date": None,
            "run_type": run.run_type,
            "state": "running",
            "conf": run.conf,
            "consumed_asset_events": [self._asset_event(each) for each in run.asset_events],
            "partition_key": run.partition_key,
            "partition_date": run.partition_date,
        }
        return _made(self.models.DagRun, values)

    def _asset_event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        given = {name: event.get(f"source_{name}") for name in ("task_id", "dag_id", "run_id", "map_index")}
        return {
            "asset": {"name": event.get("name"), "uri": event.get("uri"), "extra": {}},
            "extra": event.get("extra") or {},
            **{f"source_{name}": value for name, value in given.items()},
            "source_aliases": [{"name": name} for name in event.get("aliases") or ()],
            "timestamp": event["timestamp"],
            **({"partition_key": event["partition_key"]} if event.get("partition_key") else {}),
        }


_LOADING = "airflow.utils.module_loading"


def _has_shared() -> bool:
    try:
        import_module("airflow.sdk._shared.module_loading")
    except ImportError:  # before Airflow 3.2
        return False
    return True


def _serde() -> Any:
    try:
        return import_module("airflow.sdk.serde")
    except ImportError:  # before Airflow 3.2
        return import_module("airflow.serialization.serialized_objects").BaseSerialization


def _made(kind: Any, values: Mapping[str, Any]) -> Any:
    """Return a message with those of the values that this Airflow's has."""
    return kind(**{name: value for name, value in values.items() if name in kind.model_fields})


def _log_plainly() -> None:
    """Let Airflow's structured log lines go where all others go: to the handlers of `runtime/logs.py`."""
    structlog: Any = import_module("structlog")
    structlog.configure(
        processors=[structlog.stdlib.PositionalArgumentsFormatter(), _line],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def _line(_logger: logging.Logger, _method: str, said: dict[str, Any]) -> tuple[tuple[str], dict[str, Any]]:
    """Return what the standard library's logger is called with for a structured event: its text, and the rest behind."""
    text = str(said.pop("event", ""))
    error = said.pop("exc_info", None)
    level = {name: said.pop(name, None) for name in ("stack_info", "stacklevel")}
    more = " ".join(f"{name}={value!r}" for name, value in said.items())
    shown = f"{text} [{more}]" if more else text
    return (shown.replace("%", "%%"),), {"exc_info": error, "stack_info": bool(level["stack_info"])}
