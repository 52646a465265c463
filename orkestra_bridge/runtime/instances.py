"""What a task finds as ``ti`` and ``dag_run``: the run, and the XComs and states that the ledger holds."""

from __future__ import annotations

import logging
import os
from datetime import datetime, timezone
from enum import Enum
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime import serde
from orkestra_bridge.runtime.executions import Executions
from orkestra_bridge.runtime.large import LargeXComs
from orkestra_bridge.runtime.mapping import instances_of
from orkestra_bridge.runtime.poking import Poking
from orkestra_bridge.runtime.xcoms import MISSING, RETURN_VALUE, LazyXComSelectSequence, XComs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from orkestra_bridge.runtime.rundates import Run, Ticks


class DagRunType(str, Enum):
    """What started a run; shown as ``DagRunType.MANUAL``, as Airflow 3 does in a task."""

    MANUAL = "manual"
    SCHEDULED = "scheduled"
    BACKFILL = "backfill"
    ASSET_TRIGGERED = "asset_triggered"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


def pendulum_moment(moment: datetime) -> Any:
    """Return a moment as the pendulum DateTime that Airflow gives to tasks."""
    import pendulum

    return pendulum.instance(moment, tz="UTC")


class DagRun:
    """The running DAG run."""

    def __init__(self, run: Run, dag_id: str, ledger: Mapping[str, Any], *, major: int) -> None:
        self.dag_id = dag_id
        self.run_id = run.run_id
        self.run_type = run.run_type if major == 2 else DagRunType(run.run_type)
        self.conf = run.conf
        self.state = "running"
        self.ticks: Ticks | None = None
        self.external_trigger = run.run_type == "manual"
        self._run = run
        self._ledger = ledger

    def __repr__(self) -> str:
        return f"<DagRun {self.dag_id} @ {self.logical_date}: {self.run_id}, state:{self.state}>"

    @property
    def logical_date(self) -> Any:
        """Return the moment that the run is about, None for a run of Airflow 3 that assets started."""
        return pendulum_moment(self._run.logical_date) if self._run.dated else None

    @property
    def execution_date(self) -> Any:
        """Return the logical date by its old name."""
        return self.logical_date

    @property
    def data_interval_start(self) -> Any:
        """Return where the time that the run covers begins, None if it covers none."""
        return pendulum_moment(self._run.start) if self._run.dated else None

    @property
    def data_interval_end(self) -> Any:
        """Return where the time that the run covers ends, None if it covers none."""
        return pendulum_moment(self._run.end) if self._run.dated else None

    @property
    def interval(self) -> tuple[datetime, datetime] | None:
        """Return the time that the run covers, in UTC, None if it covers none."""
        return (self._run.start, self._run.end) if self._run.dated else None

    @property
    def partition_key(self) -> str | None:
        """Return the key of the partition that the run is about, None if it is about none."""
        return self._run.partition_key

    @property
    def partition_date(self) -> Any:
        """Return the moment at which the partition begins, None if it has no key or its key means no time."""
        return pendulum_moment(self._run.partition_date) if self._run.partition_date else None

    @property
    def asset_events(self) -> Sequence[Mapping[str, Any]]:
        """Return what is known of the events of assets that started the run."""
        return self._run.asset_events

    @property
    def consumed_asset_events(self) -> list[Any]:
        """Return the events of assets that started the run, the oldest first."""
        from importlib import import_module

        return list(map(import_module("airflow._impl.asset_events").AssetEvent, self._run.asset_events))

    @property
    def run_after(self) -> Any:
        """Return the moment from which the run may start."""
        return pendulum_moment(self._run.run_after)

    @property
    def start_date(self) -> Any:
        """Return when the execution started."""
        return pendulum_moment(self._run.started)

    queued_at = start_date

    @property
    def end_date(self) -> None:
        """Return None: the run has not ended."""
        return None

    def get_state(self) -> str:
        """Return the state, which is running."""
        return self.state

    def get_task_instance(self, task_id: str, *_args: Any, map_index: int = -1, **_kwargs: Any) -> Any:
        """Return what is known of another task instance of this run, None if it has not finished."""
        return next((one for one in self._finished(task_id) if one.map_index == map_index), None)

    def get_task_instances(self, state: Any = None, *_args: Any, **_kwargs: Any) -> list[Any]:
        """Return the task instances of this run that have finished, of the given states."""
        wanted = [state] if isinstance(state, str) else state
        found = [one for task_id in sorted(self._ledger) for one in self._finished(task_id)]
        return [one for one in found if wanted is None or one.state in wanted]

    def _finished(self, task_id: str) -> list[FinishedTask]:
        entries = instances_of(self._ledger.get(task_id, {}))
        return [FinishedTask(task_id, self.dag_id, self.run_id, entry) for entry in entries]


class FinishedTask:
    """A task instance that has ended."""

    def __init__(self, task_id: str, dag_id: str, run_id: str, entry: Mapping[str, Any]) -> None:
        self.map_index = entry.get("map_index", -1)
        self.task_id = task_id
        self.dag_id = dag_id
        self.run_id = run_id
        self.state = entry["state"]
        self.try_number = entry.get("tries", 0)

    def current_state(self) -> str:
        """Return the state that the task ended in."""
        return str(self.state)

    def __repr__(self) -> str:
        return f"<TaskInstance: {self.dag_id}.{self.task_id} {self.run_id} [{self.state}]>"


class TaskInstance:
    """The running task instance."""

    def __init__(
        self,
        *,
        task: Any,
        dag_run: DagRun,
        run: Run,
        ledger: Mapping[str, Any],
        attempt: int,
        major: int,
        map_index: int = -1,
        large: LargeXComs | None = None,
    ) -> None:
        self.task = task
        self.task_id = task.task_id
        self.dag_id = dag_run.dag_id
        self.run_id = run.run_id
        self.map_index = map_index
        self.try_number = attempt + 1
        self.max_tries = task.retries or 0
        self.state = "running"
        self.hostname = os.uname().nodename
        self.operator = task.task_type
        self.dag_run = dag_run
        self.pool = task.pool
        self.queue = task.queue
        self.log = logging.getLogger("airflow.task")
        self.log_url = ""
        self.end_date: datetime | None = None
        self.duration: float | None = None
        self.skipped_task_ids: list[str] = []
        self.pushed: dict[str, Any] = {}
        self.large = large or LargeXComs()
        self.xcoms = XComs(
            ledger,
            major=major,
            task_id=self.task_id,
            map_index=map_index,
            pushed=self.pushed,
            large=self.large,
        )
        self.poking = Poking({})
        self.pokes_of_state = 0
        self.executions = Executions("", {})
        self.environment: Mapping[str, Any] | None = None
        self._major = major
        self._run = run
        self._started = datetime.now(timezone.utc)
        self._context: Any = None

    def __repr__(self) -> str:
        return f"<TaskInstance: {self.dag_id}.{self.task_id} {self.run_id} [{self.state}]>"

    @property
    def key(self) -> tuple[str, str, str, int, int]:
        """Return dag id, task id, run id, try and map index."""
        return (self.dag_id, self.task_id, self.run_id, self.try_number, self.map_index)

    @property
    def start_date(self) -> Any:
        """Return when this try started."""
        return pendulum_moment(self._started)

    @property
    def logical_date(self) -> Any:
        """Return the run's logical date."""
        return self.dag_run.logical_date

    @property
    def execution_date(self) -> Any:
        """Return the run's logical date by its old name."""
        return self.dag_run.logical_date

    @property
    def prev_attempted_tries(self) -> int:
        """Return how many tries there were before."""
        return self.try_number - 1

    @property
    def is_eligible_to_retry(self) -> bool:
        """Return True if a failure of this try is followed by another one."""
        return self.try_number <= self.max_tries

    def current_state(self) -> str:
        """Return the state, which is running."""
        return self.state

    def get_dagrun(self, *_args: Any) -> DagRun:
        """Return the run that this belongs to."""
        return self.dag_run

    def get_template_context(self, *_args: Any, **_kwargs: Any) -> Any:
        """Return the context that the task runs in."""
        return self._context

    def bind(self, context: Any) -> None:
        """Know the context that this instance runs in."""
        self._context = context

    def xcom_push(self, key: str, value: Any, *_older: Any, **_kwargs: Any) -> None:
        """Keep a value for later tasks; raises XComSerializationError for one that cannot be kept."""
        if isinstance(value, LazyXComSelectSequence):
            value = list(value)
        kept = serde.as_airflow_2(value) if self._major == 2 else value
        self.pushed[key] = serde.encode(kept, task_id=self.task_id, key=key)

    def put_away(self, room: int | None = None) -> None:
        """Store what has been pushed and is too large for the ledger, as `LargeXComs.put_away` does."""
        self.large.put_away(self.pushed, self.task_id, self.map_index, room=room)

    def referred_xcom(self, operator: Any, key: str, missing: Any) -> Any:
        """Return what a reference to a task's XCom in the DAG file stands for, or ``missing``."""
        return self.xcoms.referred(operator.task_id, key, mapped=operator.is_mapped, missing=missing)

    def xcom_pull(
        self,
        task_ids: str | Iterable[str] | None = None,
        dag_id: str | None = None,
        key: str = RETURN_VALUE,
        include_prior_dates: bool = False,  # noqa: ARG002  # a run only knows its own dates
        *_older: Any,
        map_indexes: Any = MISSING,
        default: Any = None,
        run_id: str | None = None,
        **_kwargs: Any,
    ) -> Any:
        """Return what tasks of this run pushed, as `XComs.pull` says.

        Raises:
            ValueError: For the XComs of another DAG or another run, which this run does not hold.
        """
        if dag_id not in (None, self.dag_id) or run_id not in (None, self.run_id):
            raise ValueError(
                f"xcom_pull of task {self.task_id!r} asks for another DAG or run ({dag_id or run_id}); "
                "a run only holds its own XComs. Pass the value through the run's conf or store it in S3"
            )
        return self.xcoms.pull(task_ids, key, map_indexes=map_indexes, default=default)
