"""Operators that start runs of other DAGs, or wait for them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from airflow._impl import timezone
from airflow._impl.exceptions import AirflowException, AirflowFailException, AirflowSkipException, PokeAgain
from airflow._impl.operator import BaseOperator
from airflow._impl.params import NOTSET
from airflow._impl.python import determine_kwargs
from airflow._impl.sensor import BaseSensorOperator
from airflow._impl.settings import SETTINGS
from airflow._impl.simple import EmptyOperator
from orkestra_bridge.runtime.executions import AlreadyStartedError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from orkestra_bridge.runtime.executions import Executions

FOR_EVER = float("inf")
RUN_ID = re.compile(r"[A-Za-z0-9_.~:+-]+")
"""[scheduler] allowed_run_id_pattern, which every run id of Airflow's own making fits."""


class DagRunAlreadyExists(AirflowException):
    """There is a run of this id already."""


class ExternalDagNotFoundError(AirflowException):
    """The other DAG has no state machine."""


class ExternalTaskFailedError(AirflowException):
    """One of the tasks that are waited for has failed."""


class ExternalTaskGroupFailedError(AirflowException):
    """The task group that is waited for has failed."""


class ExternalDagFailedError(AirflowException):
    """The DAG that is waited for has failed."""


class TriggerDagRunOperator(BaseOperator):
    """Starts a run of another DAG, and waits for its end if it is told to."""

    template_fields: Any = (
        "trigger_dag_id",
        "trigger_run_id",
        "logical_date",
        "conf",
        "wait_for_completion",
        "skip_when_already_exists",
    )
    ui_color = "#ffefeb"

    def __init__(
        self,
        *,
        trigger_dag_id: str,
        trigger_run_id: str | None = None,
        conf: Any = None,
        logical_date: Any = NOTSET,
        execution_date: Any = NOTSET,
        run_after: Any = NOTSET,
        reset_dag_run: bool = False,
        wait_for_completion: bool = False,
        poke_interval: Any = 60,
        allowed_states: Any = None,
        failed_states: Any = None,
        skip_when_already_exists: bool = False,
        fail_when_dag_is_paused: bool = False,
        note: str | None = None,
        deferrable: bool = False,
        openlineage_inject_parent_info: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.trigger_dag_id = trigger_dag_id
        self.trigger_run_id = trigger_run_id
        self.conf = conf
        self.logical_date = execution_date if logical_date is NOTSET else logical_date
        self.wait_for_completion = wait_for_completion
        self.poke_interval = poke_interval
        self.allowed_states = [str(getattr(one, "value", one)) for one in allowed_states or ["success"]]
        failed = ["failed"] if failed_states is None else failed_states
        self.failed_states = [str(getattr(one, "value", one)) for one in failed]
        self.skip_when_already_exists = skip_when_already_exists
        self.reset_dag_run = reset_dag_run
        self.deferrable = False

    def execute(self, context: Any) -> None:
        ti = context["ti"]
        executions: Executions = ti.executions
        started = (ti.poking.deferred or {}).get("execution")
        if started is None:
            started = self._start(context, executions)
            if not self.wait_for_completion:
                return
            raise self._again(started)
        state = executions.state(started)
        if state in self.failed_states:
            raise AirflowException(f"{self.trigger_dag_id} failed with failed states {state}")
        if state not in self.allowed_states:
            raise self._again(started)
        self.log.info("%s finished with allowed state %s", self.trigger_dag_id, state)

    def _again(self, execution: str) -> BaseException:
        seconds = getattr(self.poke_interval, "total_seconds", lambda: float(self.poke_interval))()
        return PokeAgain(seconds, remaining=FOR_EVER, left={"execution": execution})

    def _start(self, context: Any, executions: Executions) -> str:
        date = self._date(context["ti"].poking.now())
        run_id = str(self.trigger_run_id) if self.trigger_run_id else f"manual__{date.isoformat()}"
        if not RUN_ID.fullmatch(run_id):
            raise ValueError(
                f"The run_id provided '{run_id}' does not match regex pattern '{RUN_ID.pattern}'"
            )
        document = {
            "run_id": run_id,
            "run_type": "manual",
            "logical_date": date.isoformat(),
            "conf": self._conf(),
        }
        try:
            started = executions.start(self.trigger_dag_id, document, again=self.reset_dag_run)
        except AlreadyStartedError:
            if self.skip_when_already_exists:
                raise AirflowSkipException(
                    "Skipping due to skip_when_already_exists is set to True and DagRunAlreadyExists"
                ) from None
            text = f"A Dag Run already exists for dag id {self.trigger_dag_id} with run id {run_id}"
            # Airflow 3 takes this for the end of the task, however many retries it has left.
            raise (DagRunAlreadyExists if SETTINGS.major == 2 else AirflowFailException)(text) from None
        self.log.info("Started %s of %s", run_id, self.trigger_dag_id)
        if SETTINGS.major == 2:
            context["ti"].xcom_push(key="trigger_logical_date_iso", value=date.isoformat())
        context["ti"].xcom_push(key="trigger_run_id", value=run_id)
        return started

    def _date(self, now: dt.datetime) -> dt.datetime:
        date = self.logical_date
        if date is NOTSET or date is None:
            return now
        parsed: dt.datetime = (
            timezone.parse(date) if isinstance(date, str) else timezone.coerce_datetime(date)
        )
        return parsed

    def _conf(self) -> Any:
        try:
            conf = json.loads(self.conf) if self.conf and isinstance(self.conf, str) else self.conf
            json.dumps(conf)
        except (TypeError, ValueError):
            raise ValueError(f"conf parameter should be JSON Serializable: {self.conf}") from None
        return conf or {}


class ExternalTaskSensor(BaseSensorOperator):
    """Waits for the run of another DAG for a logical date, or for some of its tasks."""

    template_fields: Any = (
        "external_dag_id",
        "external_task_id",
        "external_task_ids",
        "external_task_group_id",
    )
    ui_color = "#4db7db"

    def __init__(
        self,
        *,
        external_dag_id: str,
        external_task_id: str | None = None,
        external_task_ids: Any = None,
        external_task_group_id: str | None = None,
        allowed_states: Any = None,
        skipped_states: Any = None,
        failed_states: Any = None,
        execution_delta: dt.timedelta | None = None,
        execution_date_fn: Callable[..., Any] | None = None,
        check_existence: bool = False,
        poll_interval: Any = None,
        deferrable: bool = False,
        **kwargs: Any,
    ) -> None:
        if poll_interval is not None:
            kwargs.setdefault("poke_interval", poll_interval)
        super().__init__(**kwargs)
        self.allowed_states = _texts(allowed_states) or ["success"]
        self.skipped_states = _texts(skipped_states)
        self.failed_states = _texts(failed_states)
        if execution_delta is not None and execution_date_fn is not None:
            raise ValueError(
                "Only one of `execution_delta` or `execution_date_fn` may be provided to ExternalTaskSensor; not both."
            )
        ids = [external_task_id] if external_task_id is not None else external_task_ids or None
        if (external_task_id is not None and external_task_ids) or (external_task_group_id and ids):
            raise ValueError(
                "Only one of `external_task_id`, `external_task_ids` or `external_task_group_id` may be provided"
            )
        self.execution_delta = execution_delta
        self.execution_date_fn = execution_date_fn
        self.external_dag_id = external_dag_id
        self.external_task_id = external_task_id
        self.external_task_ids = ids
        self.external_task_group_id = external_task_group_id
        self.check_existence = check_existence
        self.deferrable = False

    def poke(self, context: Any) -> bool:
        executions: Executions = context["ti"].executions
        dates = self._dates(context)
        self.log.info("Poking for %s on %s", self._what(), ", ".join(date.isoformat() for date in dates))
        if self.check_existence and not executions.exists(self.external_dag_id):
            raise ExternalDagNotFoundError(f"The external DAG {self.external_dag_id} does not exist.")
        found = [self._states(executions, date) for date in dates]
        if any(state in self.failed_states for states in found for state in states):
            raise self._failure()
        if any(state in self.skipped_states for states in found for state in states):
            raise AirflowSkipException(
                f"{self._what()} reached a state in our states-to-skip-on list. Skipping."
            )
        return all(states and all(state in self.allowed_states for state in states) for states in found)

    def _states(self, executions: Executions, date: dt.datetime) -> list[str]:
        """Return the states of what is waited for, an empty text for a task that has not ended; nothing without a run."""
        execution = executions.find(self.external_dag_id, date)
        if execution is None:
            return []
        if not self.external_task_ids and not self.external_task_group_id:
            return [executions.state(execution) or ""]
        known = executions.task_states(execution)
        tasks = self.external_task_ids or executions.group(
            self.external_dag_id, self.external_task_group_id or ""
        )
        return [state for task_id in tasks for state in known.get(task_id, [""])]

    def _dates(self, context: Any) -> list[dt.datetime]:
        date: dt.datetime = context["logical_date"]
        if self.execution_delta:
            return [date - self.execution_delta]
        if self.execution_date_fn is None:
            return [date]
        arguments = {
            key: value for key, value in context.items() if key not in ("execution_date", "logical_date")
        }
        arguments["context"] = context
        known = determine_kwargs(self.execution_date_fn, [date], arguments)
        found = self.execution_date_fn(date, **known)
        return list(found) if isinstance(found, list) else [found]

    def _what(self) -> str:
        if self.external_task_ids:
            return f"tasks {self.external_task_ids} in dag {self.external_dag_id}"
        if self.external_task_group_id:
            return f"task group {self.external_task_group_id!r} in dag {self.external_dag_id}"
        return f"DAG {self.external_dag_id}"

    def _failure(self) -> Exception:
        if self.soft_fail:
            return AirflowSkipException(f"{self._what()} failed. Skipping due to soft_fail.")
        if self.external_task_ids:
            return ExternalTaskFailedError(f"Some of the external {self._what()} failed.")
        if self.external_task_group_id:
            return ExternalTaskGroupFailedError(f"The external {self._what()} failed.")
        return ExternalDagFailedError(f"The external DAG {self.external_dag_id} failed.")


class ExternalTaskMarker(EmptyOperator):
    """Says that a task of another DAG depends on this one, for those who clear tasks; does nothing."""

    template_fields: Any = ("external_dag_id", "external_task_id", "logical_date")

    def __init__(
        self,
        *,
        external_dag_id: str,
        external_task_id: str,
        logical_date: Any = "{{ logical_date.isoformat() }}",
        execution_date: Any = None,
        recursion_depth: int = 10,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.external_dag_id = external_dag_id
        self.external_task_id = external_task_id
        self.logical_date = execution_date or logical_date
        self.recursion_depth = recursion_depth


def _texts(states: Any) -> list[str]:
    return [str(getattr(state, "value", state)) for state in states or []]
