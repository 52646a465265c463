"""A task instance of the loaded DAG with everything that it runs with: its run, its ``ti`` and its context."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, final

from orkestra_bridge.runtime.context import build_context, stores_of
from orkestra_bridge.runtime.executions import Executions
from orkestra_bridge.runtime.instances import DagRun, TaskInstance
from orkestra_bridge.runtime.large import large_xcoms, share_of_instance
from orkestra_bridge.runtime.logs import about
from orkestra_bridge.runtime.poking import Poking
from orkestra_bridge.runtime.rundates import Ticks, resolve_run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.runtime.context import TaskContext
    from orkestra_bridge.runtime.rundates import Run


SHORTEST_ERROR = 40
ERROR_LIMIT = 16_000
"""Characters of an error that the ledger has room for, if the manifest says nothing else."""


@final
class Instance(NamedTuple):
    """A task instance that can be run.

    ``major`` is the Airflow major version that is imitated, ``retry`` the task's retry arguments, ``outlets`` its assets.
    """

    task: Any
    ti: TaskInstance
    context: TaskContext
    major: int
    retry: Mapping[str, Any]
    error_limit: int
    outlets: tuple[Mapping[str, Any], ...] = ()


def prepare(dag: Any, manifest: Mapping[str, Any], event: Mapping[str, Any]) -> Instance:
    """Return the task instance that an event is about.

    Raises:
        ValueError: If the run document has a date that is none.
    """
    workflow = manifest["workflow"]
    major = _major(workflow)
    task = dag.get_task(event["task_id"])
    task = task.prepare_for_execution()
    run = dated(dag, run_of(workflow, event), workflow["schedule"])
    ledger = event.get("ledger") or {}
    dag_run = DagRun(run, dag.dag_id, ledger, major=major)
    poking = Poking(event.get("waiting") or {})
    attempt = int(event.get("attempt") or 0)
    ti = TaskInstance(
        task=task,
        dag_run=dag_run,
        run=run,
        ledger=ledger,
        # a state that lets a task wait counts pokes, not tries
        attempt=poking.tries - 1 if poking.possible else attempt,
        major=major,
        map_index=int(event.get("map_index", -1)),
        large=large_xcoms(workflow, event),
    )
    ti.poking, ti.pokes_of_state = poking, attempt
    ti.executions = Executions(
        str((event.get("execution") or {}).get("id", "")), manifest.get("others") or {}
    )
    ti.environment = _environment(workflow, task.task_id)
    ti.max_tries = _retries(workflow, task)
    about(run_id=run.run_id, try_number=ti.try_number)
    ticks = dag_run.ticks = Ticks(workflow["schedule"])
    stores = stores_of(workflow["airflow_version"], task)
    context = build_context(
        task=task, run=run, ti=ti, dag_run=dag_run, ticks=ticks, major=major, stores=stores
    )
    return Instance(
        task=task,
        ti=ti,
        context=context,
        major=major,
        retry=retry_of(workflow, task.task_id),
        error_limit=_error_limit(workflow, event),
        outlets=tuple(_of_task(workflow, task.task_id).get("outlets") or ()),
    )


def dated(dag: Any, run: Run, schedule: Mapping[str, Any]) -> Run:
    """Return the run with the date of its partition, where only the mappers of the schedule know it.

    A run that assets started has been given its date. ``dag`` may be Airflow's own. Raises ValueError: a mapper does not
    understand the key.
    """
    by = (schedule.get("partitions") or {}).get("by")
    if by != "assets" or run.run_type == "asset_triggered" or run.partition_key is None:
        return run
    timetable = dag.timetable
    if not hasattr(timetable, "resolve_partition_date"):  # what DAG files import knows its arguments alone
        encoders: Any = import_module("airflow.serialization.encoders")
        timetable = encoders.coerce_to_core_timetable(timetable)
    return run._replace(partition_date=timetable.resolve_partition_date(run.partition_key))


def _error_limit(workflow: Mapping[str, Any], event: Mapping[str, Any]) -> int:
    """Return how many characters an error may have in the ledger: of an instance, as many bytes as its XComs could."""
    limit = int(workflow.get("error_limit") or ERROR_LIMIT)
    return min(limit, max(SHORTEST_ERROR, share_of_instance(workflow, event)))


def run_of(workflow: Mapping[str, Any], event: Mapping[str, Any]) -> Run:
    """Return the run that an event belongs to; raises ValueError for a date that is none."""
    document, execution = event.get("run") or {}, event.get("execution") or {}
    return resolve_run(document, execution, workflow["schedule"], major=_major(workflow))


def _major(workflow: Mapping[str, Any]) -> int:
    return int(workflow["airflow_version"].split(".", 1)[0])


def retry_of(workflow: Mapping[str, Any], task_id: str) -> Mapping[str, Any]:
    """Return the task's retry arguments as the workflow has them, empty if it does not know the task."""
    return _of_task(workflow, task_id).get("retry") or {}


def _of_task(workflow: Mapping[str, Any], task_id: str) -> Mapping[str, Any]:
    return next((each for each in workflow["tasks"] if each["task_id"] == task_id), {})


def _environment(workflow: Mapping[str, Any], task_id: str) -> Mapping[str, Any] | None:
    found = (each.get("container") for each in workflow["tasks"] if each["task_id"] == task_id)
    return (next(found, None) or {}).get("environment")


def _retries(workflow: Mapping[str, Any], task: Any) -> int:
    """Return how often the state machine retries: the cluster's configuration may have a say in it."""
    return int(retry_of(workflow, task.task_id).get("attempts", task.retries or 0))
