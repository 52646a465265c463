"""The template context of a task: Airflow's keys, each computed when it is first looked up."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.asset_events import kind_of
from orkestra_bridge.runtime.context_keys import ASSET_STATE, DATED, TASK_STATE, keys_of
from orkestra_bridge.runtime.instances import DagRun, TaskInstance, pendulum_moment

if TYPE_CHECKING:
    from orkestra_bridge.runtime.rundates import Run, Ticks

DAY = timedelta(days=1)


class TaskContext(MutableMapping[str, Any]):
    """A mapping whose values may be functions that make the value."""

    def __init__(self, makers: Mapping[str, Callable[[], Any]]) -> None:
        self._makers = dict(makers)
        self._values: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        if key not in self._values:
            self._values[key] = self._makers[key]()
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._makers.setdefault(key, lambda: None)
        self._values[key] = value

    def __delitem__(self, key: str) -> None:
        del self._makers[key]
        self._values.pop(key, None)

    def __contains__(self, key: object) -> bool:
        return key in self._makers

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def remake(self, makers: Mapping[str, Callable[[], Any]]) -> None:
        """Let other functions make these values, also where they have been made already."""
        self._makers.update(makers)
        for key in makers:
            self._values.pop(key, None)

    def __repr__(self) -> str:
        return f"Context({', '.join(sorted(self._makers))})"

    def __or__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return {**self, **other}

    def __copy__(self) -> TaskContext:
        other = TaskContext(self._makers)
        other._values.update(self._values)
        return other

    copy = __copy__


def build_context(
    *,
    task: Any,
    run: Run,
    ti: TaskInstance,
    dag_run: DagRun,
    ticks: Ticks,
    major: int,
    stores: frozenset[str] = frozenset(),
) -> TaskContext:
    """Return the context of a task instance: the keys of the Airflow major version, and those of its state stores."""
    makers = {**_objects(task, ti, dag_run), **_dates(run)}
    if major == 2:
        makers |= _dates_2(run, ticks) | {"expanded_ti_count": lambda: _instances(task, ti)}
    keys = keys_of(major) | stores if run.dated else (keys_of(major) | stores) - DATED
    context = TaskContext({key: makers[key] for key in sorted(keys)})
    ti.bind(context)
    return context


def rebind(context: TaskContext, task: Any) -> None:
    """Let a context be that of another task: the one that a mapped task has become for this instance."""
    ti = context["ti"]
    ti.task = task
    context.remake(_of_task(task, context["dag_run"]))


def stores_of(version: str, task: Any) -> frozenset[str]:
    """Return the keys of state stores: those that this Airflow has for a task, and for which there is a table here."""
    major, minor = (int(each) for each in version.split(".")[:2])
    if (major, minor) < (3, 3):
        return frozenset()
    found = {"task_state_store"} if os.environ.get(TASK_STATE) else set()
    if os.environ.get(ASSET_STATE) and any(map(kind_of, (*(task.inlets or ()), *(task.outlets or ())))):
        found.add("asset_state_store")
    return frozenset(found)


def _instances(task: Any, ti: TaskInstance) -> int | None:
    count: int | None = task.expand_input.length(ti.xcoms) if task.is_mapped else None
    return count


def _always(value: Any) -> Callable[[], Any]:
    return lambda: value


def _objects(task: Any, ti: TaskInstance, dag_run: DagRun) -> dict[str, Callable[[], Any]]:
    nothing = _always(None)
    return {
        **_of_task(task, dag_run),
        "asset_state_store": lambda: _facade("state_stores", "AssetStateStoreAccessors")()(task),
        "conf": _facade("configuration", "conf"),
        "conn": _facade("connection", "ConnectionAccessor", call=True),
        "dag": _always(task.dag),
        "dag_run": _always(dag_run),
        "macros": _facade("macros", None),
        "outlet_events": lambda: _asset_events("OutletEventAccessors"),
        "partition_date": lambda: dag_run.partition_date,
        "partition_key": lambda: dag_run.partition_key,
        "prev_data_interval_end_success": nothing,
        "prev_data_interval_start_success": nothing,
        "prev_end_date_success": nothing,
        "prev_execution_date_success": nothing,
        "prev_start_date_success": nothing,
        "run_id": _always(ti.run_id),
        "task_instance": _always(ti),
        "task_state_store": lambda: _facade("state_stores", "task_state_store")()(ti),
        "task_reschedule_count": lambda: _reschedules(task, ti),
        "task_instance_key_str": lambda: f"{ti.dag_id}__{ti.task_id}__{_nodash(dag_run)}",
        "triggering_asset_events": lambda: _triggering("TriggeringAssetEventsAccessor", dag_run),
        "test_mode": _always(False),
        "ti": _always(ti),
        "triggering_dataset_events": lambda: _triggering("triggering_dataset_events", dag_run),
        "var": _facade("variable", "VariableAccessors", call=True),
    }


def _reschedules(task: Any, ti: TaskInstance) -> int:
    """Return how often this try has given up its place until the next poke."""
    return ti.pokes_of_state + ti.poking.pokes if getattr(task, "mode", None) == "reschedule" else 0


def _of_task(task: Any, dag_run: DagRun) -> dict[str, Callable[[], Any]]:
    return {
        "inlet_events": lambda: _asset_events(
            "InletEventsAccessors", task.inlets or (), dag_run.asset_events
        ),
        "inlets": lambda: task.inlets,
        "map_index_template": lambda: task.map_index_template,
        "outlets": lambda: task.outlets,
        "params": lambda: _params(task, dag_run),
        "task": _always(task),
    }


def _nodash(dag_run: DagRun) -> str:
    """Return what stands for the run in a task instance's key: its date, or its id if it has none."""
    date = dag_run.logical_date
    return str(date.strftime("%Y%m%d")) if date else dag_run.run_id


def _asset_events(name: str, *arguments: Any) -> Any:
    return _facade("asset_events", name)()(*arguments)


def _triggering(name: str, dag_run: DagRun) -> Any:
    return _asset_events(name, dag_run.consumed_asset_events)


def _facade(module: str, name: str | None, *, call: bool = False) -> Callable[[], Any]:
    def find() -> Any:
        from importlib import import_module

        found: Any = import_module(f"airflow._impl.{module}")
        value = found if name is None else getattr(found, name)
        return value() if call else value

    return find


def _params(task: Any, dag_run: DagRun) -> Any:
    """Return name -> value of the params, the run's conf over the defaults; raises ParamValidationError."""
    from copy import copy

    params = copy(task.params)
    for name, value in (dag_run.conf or {}).items():
        params[name] = value
    return params.validate()


def _dates(run: Run) -> dict[str, Callable[[], Any]]:
    date = run.logical_date
    return {
        "data_interval_end": lambda: pendulum_moment(run.end),
        "data_interval_start": lambda: pendulum_moment(run.start),
        "ds": lambda: date.strftime("%Y-%m-%d"),
        "ds_nodash": lambda: date.strftime("%Y%m%d"),
        "logical_date": lambda: pendulum_moment(date),
        "ts": date.isoformat,
        "ts_nodash": lambda: date.strftime("%Y%m%dT%H%M%S"),
        "ts_nodash_with_tz": lambda: date.isoformat().replace("-", "").replace(":", ""),
    }


def _dates_2(run: Run, ticks: Ticks) -> dict[str, Callable[[], Any]]:
    """Return the dates that Airflow 3 dropped."""
    date = run.logical_date

    def neighbour(*, forward: bool) -> datetime | None:
        # A manual run stands outside of the schedule: both neighbours are itself.
        if run.run_type == "manual":
            return date
        if ticks.kind not in ("cron", "delta"):
            return None
        return ticks.after(date) if forward else ticks.before(date)

    def moment(*, forward: bool) -> Any:
        found = neighbour(forward=forward)
        return pendulum_moment(found) if found else None

    def text(form: str, *, forward: bool) -> str | None:
        found = neighbour(forward=forward)
        return found.strftime(form) if found else None

    return {
        "execution_date": lambda: pendulum_moment(date),
        "next_ds": lambda: text("%Y-%m-%d", forward=True),
        "next_ds_nodash": lambda: text("%Y%m%d", forward=True),
        "next_execution_date": lambda: moment(forward=True),
        "prev_ds": lambda: text("%Y-%m-%d", forward=False),
        "prev_ds_nodash": lambda: text("%Y%m%d", forward=False),
        "prev_execution_date": lambda: moment(forward=False),
        "tomorrow_ds": lambda: (date + DAY).strftime("%Y-%m-%d"),
        "tomorrow_ds_nodash": lambda: (date + DAY).strftime("%Y%m%d"),
        "yesterday_ds": lambda: (date - DAY).strftime("%Y-%m-%d"),
        "yesterday_ds_nodash": lambda: (date - DAY).strftime("%Y%m%d"),
    }


def environment_variables(context: Mapping[str, Any]) -> dict[str, str]:
    """Return the AIRFLOW_CTX_* variables that commands get (`airflow/utils/operator_helpers.py`)."""
    ti, task = context["ti"], context["task"]
    date = "AIRFLOW_CTX_EXECUTION_DATE" if "execution_date" in context else "AIRFLOW_CTX_LOGICAL_DATE"
    emails = task.email if isinstance(task.email, (list, tuple)) else [task.email] if task.email else []
    values = {
        "AIRFLOW_CTX_DAG_EMAIL": ",".join(emails),
        "AIRFLOW_CTX_DAG_OWNER": task.owner,
        "AIRFLOW_CTX_DAG_ID": ti.dag_id,
        "AIRFLOW_CTX_TASK_ID": ti.task_id,
        date: context.get("ts", ""),
        "AIRFLOW_CTX_TRY_NUMBER": str(ti.try_number),
        "AIRFLOW_CTX_DAG_RUN_ID": ti.run_id,
    }
    return {name: value for name, value in values.items() if value}
