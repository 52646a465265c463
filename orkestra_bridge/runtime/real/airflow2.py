"""A try of a task by Airflow 2's own code, over a metadata database of its own with what the ledger says about the run.

Source: `TaskInstance._run_raw_task` in `airflow/models/taskinstance.py`; `_run_task` in `airflow/models/dag.py` for
triggers that run in place of the triggerer.
"""

from __future__ import annotations

import logging
import warnings
from contextlib import suppress
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any, NoReturn

from orkestra_bridge.runtime.errors import RuntimeSetupError
from orkestra_bridge.runtime.mapping import instances_of
from orkestra_bridge.runtime.masking import MASKER
from orkestra_bridge.runtime.prepare import Instance, prepare
from orkestra_bridge.runtime.real.attempt import Ended, event_of, wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

log = logging.getLogger("airflow.task")

_USERS = (
    "airflow.providers.fab.auth_manager.models",
    "airflow.auth.managers.fab.models",
    "airflow.www.fab_security.sqla.models",
)
_FINAL = frozenset({"AirflowFailException", "AirflowSensorTimeout"})


def run(source: Path, manifest: Mapping[str, Any], event: Mapping[str, Any]) -> Ended:
    """Return how a try ended.

    Raises RuntimeSetupError: the DAG file no longer makes the task.
    """
    _share_secrets()
    session = _database()
    try:
        return _Attempt(session, _dag(source, manifest, event["task_id"]), manifest, event).ended()
    finally:
        session.close()


def _share_secrets() -> None:
    """Let what Airflow masks be masked in all that is printed and raised, and not only in its own log."""
    masker: Any = import_module("airflow.utils.log.secrets_masker")._secrets_masker()
    own = masker.add_mask

    def add_mask(secret: Any, name: str | None = None) -> None:
        MASKER.add(secret, name)
        own(secret, name)

    masker.add_mask = add_mask


def _database() -> Any:
    """Return a session of a metadata database with all tables, which is empty."""
    settings, models = import_module("airflow.settings"), import_module("airflow.models")
    models.import_all_models()
    for users in _USERS:  # other tables refer to theirs
        with suppress(ImportError):
            import_module(users)
    import_module("airflow.models.base").Base.metadata.create_all(settings.engine)
    return settings.Session()


def _dag(source: Path, manifest: Mapping[str, Any], task_id: str) -> Any:
    dag_id = manifest["workflow"]["dag_id"]
    bags: Any = import_module("airflow.models.dagbag")
    parsing: Any = import_module("airflow.utils.dag_parsing_context")
    with parsing._airflow_parsing_context_manager(dag_id=dag_id, task_id=task_id):
        bag = bags.DagBag(str(source / manifest["dag_file"]), include_examples=False, safe_mode=False)
    dag = bag.dags.get(dag_id)
    if dag is None or task_id not in dag.task_dict:
        why = " ".join(str(each) for each in bag.import_errors.values())[-1000:] or "its tasks are others"
        raise RuntimeSetupError(
            f"Airflow does not find task {task_id!r} of DAG {dag_id!r} in {manifest['dag_file']}: {why}"
        )
    return dag


def _raise_again(*, defer: BaseException, **_: Any) -> NoReturn:
    raise defer


class _Attempt:
    def __init__(self, session: Any, dag: Any, manifest: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        self.models: Any = import_module("airflow.models")
        self.session = session
        self.dag = dag
        self.event = event
        self.workflow = manifest["workflow"]
        self.instance: Instance = prepare(dag, manifest, event)
        self.map_index = int(event.get("map_index", -1))
        self.outlet_events: Any = {}

    def ended(self) -> Ended:
        self._record_run()
        self._record_others()
        ti = self._own()
        error = self._try(ti)
        self._take_over(ti)
        if error is None:
            return Ended(instance=self.instance, state=str(ti.state.value), outlet_events=self.outlet_events)
        final = bool({kind.__name__ for kind in type(error).__mro__} & _FINAL)
        retried = str(getattr(ti.state, "value", ti.state)) == "up_for_retry"
        return Ended(instance=self.instance, error=error, final=final, retried=retried)

    def _try(self, ti: Any) -> BaseException | None:
        """Run the task to its end, through reschedules and deferrals; return what failed it."""
        deferred: Any = import_module("airflow.exceptions").TaskDeferred
        while True:
            try:
                self._run(ti)
            except deferred as defer:  # noqa: PERF203
                self._resume(ti, defer)
            except BaseException as error:  # noqa: BLE001  # Airflow has failures that are no Exception
                return error
            else:
                if str(getattr(ti.state, "value", ti.state)) != "up_for_reschedule":
                    return None
                self._again(ti)

    def _run(self, ti: Any) -> None:
        """Run the task once; raises what it raises, TaskDeferred too."""
        if "raise_on_defer" in signature(ti._run_raw_task).parameters:
            ti._run_raw_task(session=self.session, raise_on_defer=True)
        else:  # before Airflow 2.8, which would hand the trigger over to a triggerer
            ti._defer_task = _raise_again
            ti._run_raw_task(session=self.session)

    def _resume(self, ti: Any, defer: Any) -> None:
        limit = defer.timeout.total_seconds() if defer.timeout else None
        said, payload = event_of(defer.trigger, limit)
        ti.next_method = "__fail__" if said else defer.method_name
        ti.next_kwargs = {"error": said} if said else {**(defer.kwargs or {}), "event": payload}
        self.session.merge(ti)
        self.session.commit()

    def _again(self, ti: Any) -> None:
        reschedules = import_module("airflow.models.taskreschedule").TaskReschedule
        mine = (
            reschedules.dag_id == ti.dag_id,
            reschedules.task_id == ti.task_id,
            reschedules.run_id == ti.run_id,
            reschedules.map_index == ti.map_index,
        )
        last = self.session.query(reschedules).filter(*mine).order_by(reschedules.id.desc()).first()
        wait_until(last.reschedule_date)
        task = self.dag.get_task(ti.task_id)
        ti.refresh_from_task(task)
        ti.task = task
        ti.state = "running"
        self.session.merge(ti)
        self.session.commit()

    def _record_run(self) -> None:
        run, instance = self.instance.ti._run, self.instance
        types: Any = import_module("airflow.utils.types").DagRunType
        kinds = {each.value for each in types}
        made = self.models.DagRun(
            dag_id=self.dag.dag_id,
            run_id=run.run_id,
            run_type=run.run_type if run.run_type in kinds else "manual",
            execution_date=run.logical_date,
            start_date=run.started,
            external_trigger=instance.ti.dag_run.external_trigger,
            conf=run.conf,
            state="running",
            data_interval=(run.start, run.end),
        )
        made.dag = self.dag
        self.session.add(made)
        self.session.commit()

    def _record_others(self) -> None:
        """Record what the ledger says about the other tasks, and that nothing has become of the rest."""
        ledger = self.instance.ti.xcoms.ledger
        own = (self.event["task_id"], self.map_index)
        for task_id in self.dag.task_dict:
            entries = instances_of(ledger.get(task_id) or {})
            found = [(int(one.get("map_index", -1)), one) for one in entries] or [(-1, {})]
            for index, one in found:
                if (task_id, index) != own:
                    ti = self._added(task_id, index)
                    ti.state = one.get("state")
        self.session.commit()
        for task_id in self.dag.task_dict:
            self._record_xcoms(task_id, ledger.get(task_id) or {})
        self.session.commit()

    def _record_xcoms(self, task_id: str, entry: Mapping[str, Any]) -> None:
        keys = {key for one in instances_of(entry) for key in one.get("xcom", {})}
        xcoms = self.instance.ti.xcoms
        for key in sorted(keys):
            for index, value in xcoms.of_instances(task_id, key):
                self.models.XCom.set(
                    key=key,
                    value=value,
                    task_id=task_id,
                    dag_id=self.dag.dag_id,
                    run_id=self.instance.ti.run_id,
                    map_index=index,
                    session=self.session,
                )
                if key == "return_value" and isinstance(value, (list, tuple, dict)):
                    self.session.merge(self._length(task_id, index, value))

    def _length(self, task_id: str, index: int, value: Any) -> Any:
        """Return the record of how long a value is, for tasks that are expanded over it."""
        maps: Any = import_module("airflow.models.taskmap").TaskMap
        return maps(
            dag_id=self.dag.dag_id,
            task_id=task_id,
            run_id=self.instance.ti.run_id,
            map_index=index,
            length=len(value),
            keys=list(value) if isinstance(value, dict) else None,
        )

    def _added(self, task_id: str, index: int) -> Any:
        task = self.dag.get_task(task_id)
        ti = self.models.TaskInstance(task, run_id=self.instance.ti.run_id, state=None, map_index=index)
        self.session.add(ti)
        return ti

    def _own(self) -> Any:
        ti = self._added(self.event["task_id"], self.map_index)
        ti.state = "running"
        ti.max_tries = self.instance.ti.max_tries
        ti.start_date = self.instance.ti._started
        with warnings.catch_warnings():  # the old name goes on to work
            warnings.simplefilter("ignore")
            ti._try_number = self.instance.ti.try_number
        self.session.commit()
        ti.task = self.dag.get_task(self.event["task_id"])
        ti._register_dataset_changes = self._hear
        return ti

    def _hear(self, *, events: Any = None, **_more: Any) -> None:
        """Take what a task said about its outlets: the event goes to EventBridge, and not into this database."""
        self.outlet_events = events

    def _take_over(self, ti: Any) -> None:
        """Take what the task has pushed and skipped out of the database."""
        self.session.commit()
        kind, ours = self.models.XCom, self.instance.ti
        mine = (kind.dag_id == ti.dag_id, kind.task_id == ti.task_id, kind.run_id == ti.run_id)
        rows = self.session.query(kind.key).filter(*mine, kind.map_index == ti.map_index)
        place = {
            "dag_id": ti.dag_id,
            "task_id": ti.task_id,
            "run_id": ti.run_id,
            "map_index": ti.map_index,
            "session": self.session,
        }
        for (key,) in rows.order_by(kind.timestamp):
            ours.xcom_push(key, kind.get_one(key=key, **place))
        others = self.models.TaskInstance
        skipped = self.session.query(others.task_id).filter(
            others.run_id == ti.run_id, others.state == "skipped", others.task_id != ti.task_id
        )
        before = {
            task_id
            for task_id, entry in ours.xcoms.ledger.items()
            if any(one.get("state") == "skipped" for one in instances_of(entry))
        }
        ours.skipped_task_ids.extend(sorted({task_id for (task_id,) in skipped} - before))
