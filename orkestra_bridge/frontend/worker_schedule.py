"""A DAG's timetable as plain values.

Source: `airflow.timetables` (2.x) and `airflow.sdk.definitions.timetables` (3.x).

Part of the worker program: standard library only, Python 3.8 and later. Timetables are told apart by class
name, since the classes of the two majors are unrelated; a class that Airflow does not define is custom even
if it derives from one that it does.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from .worker_assets import schedule_assets, written
from .worker_attributes import signature_defaults

if TYPE_CHECKING:
    from collections.abc import Callable

    from .worker_values import Encoder

_SIMPLE = {
    "NullTimetable": "none",
    "OnceTimetable": "once",
    "ContinuousTimetable": "continuous",
    "DatasetTriggeredTimetable": "asset",
    "AssetTriggeredTimetable": "asset",
}


def _read(timetable: Any, name: str) -> Any:
    """Return an attribute that Airflow 2 keeps under a leading underscore."""
    value = getattr(timetable, "_" + name, None)
    return getattr(timetable, name, None) if value is None else value


def _timezone(value: Any) -> str:
    name = getattr(value, "key", None) or getattr(value, "name", None)
    return str(name or value or "UTC")


def _has_interval(timetable: Any) -> bool:
    """Return True for trigger timetables with a data interval, which no field of a schedule can carry."""
    return bool(_read(timetable, "interval") or False)


def _cron(timetable: Any, *, intervals: bool) -> dict[str, Any]:
    if _has_interval(timetable):
        return {"kind": "custom"}
    return {
        "kind": "cron",
        "expressions": [str(_read(timetable, "expression"))],
        "timezone": _timezone(_read(timetable, "timezone")),
        "data_interval": intervals,
    }


def _partitioned_cron(timetable: Any) -> dict[str, Any]:
    found = _cron(timetable, intervals=False)
    offset = _read(timetable, "run_offset") or 0
    if found["kind"] != "cron" or not isinstance(offset, int):
        return {"kind": "custom"}
    return {
        **found,
        "partitions": {"by": "cron", "key_format": str(_read(timetable, "key_format")), "offset": offset},
    }


def _partitioned_assets(timetable: Any) -> dict[str, Any]:
    mappers = [
        _read(timetable, "default_partition_mapper"),
        *(_read(timetable, "partition_mapper_config") or {}).values(),
    ]
    names = sorted({_named(type(mapper)) for mapper in mappers})
    rollup = any(bool(getattr(mapper, "is_rollup", False)) for mapper in mappers)
    return {"kind": "asset", "partitions": {"by": "assets", "mappers": names, "rollup": rollup}}


def _named(cls: type) -> str:
    own = cls.__module__.startswith("airflow.")
    return cls.__name__ if own else f"{cls.__module__.rpartition('.')[2]}.{cls.__qualname__}"


def _several(timetable: Any) -> dict[str, Any]:
    parts = [describe_timetable(part) for part in _read(timetable, "timetables") or ()]
    if not parts or any(part["kind"] != "cron" for part in parts):
        return {"kind": "custom"}
    expressions: list[str] = [text for part in parts for text in part["expressions"]]
    return {**parts[0], "expressions": expressions}


def _delta(timetable: Any, *, intervals: bool) -> dict[str, Any]:
    if _has_interval(timetable):
        return {"kind": "custom"}
    delta = _read(timetable, "delta")
    seconds = delta.total_seconds() if isinstance(delta, dt.timedelta) else None
    return {"kind": "delta", "seconds": seconds, "data_interval": intervals}


def _timed_assets(timetable: Any) -> dict[str, Any]:
    inner = describe_timetable(_read(timetable, "timetable"))
    if inner["kind"] in ("cron", "delta"):
        inner.pop("partitions", None)  # Airflow asks it for its ticks alone
        return {**inner, "kind": "asset"}
    return {"kind": "asset" if inner["kind"] == "none" else "custom"}


def describe_timetable(timetable: Any) -> dict[str, Any]:
    """Return the fields of `orkestra_bridge.ir.model.Schedule` that the timetable decides.

    ``kind`` is always there.
    """
    cls = type(timetable)
    if not cls.__module__.startswith("airflow."):
        return {"kind": "custom"}
    name = cls.__name__
    if name in _SIMPLE:
        return {"kind": _SIMPLE[name]}
    reader = _READERS.get(name)
    return reader(timetable) if reader else {"kind": "custom"}


_ARGUMENTS = {"run_immediately": (None, False)}
"""Further arguments of the timetables below, by the values that say nothing."""
_IN_PARTITIONS = ("run_offset", "key_format", "partition_mapper_config", "default_partition_mapper")
"""Arguments that a schedule's partitions have, or that the function reads in the DAG file."""


def timetable_rows(timetable: Any, encode: Encoder) -> list[list[Any]]:
    """Return a timetable's arguments that no field of a schedule holds, as rows like those of a task."""
    if type(timetable).__name__ not in _READERS:
        return []  # it has none, or is refused as a whole
    several = [timetable, *(_read(timetable, "timetables") or ()), _read(timetable, "timetable")]
    rows = []
    for name, silent in _arguments(type(timetable)).items():
        values = [value for part in several if (value := _read(part, name)) not in silent]
        if values:
            rows.append([name, encode(values[0]), False, False])
    return rows


def _arguments(cls: type) -> dict[str, Any]:
    known = {
        name: (default, None)
        for name, default in signature_defaults(cls).items()
        if name not in _IN_PARTITIONS
    }
    return {**known, **_ARGUMENTS}


_READERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "AssetOrTimeSchedule": _timed_assets,
    "CronDataIntervalTimetable": lambda timetable: _cron(timetable, intervals=True),
    "CronPartitionTimetable": _partitioned_cron,
    "CronTriggerTimetable": lambda timetable: _cron(timetable, intervals=False),
    "DatasetOrTimeSchedule": _timed_assets,
    "DeltaDataIntervalTimetable": lambda timetable: _delta(timetable, intervals=True),
    "DeltaTriggerTimetable": lambda timetable: _delta(timetable, intervals=False),
    "MultipleCronTriggerTimetable": _several,
    "PartitionedAssetTimetable": _partitioned_assets,
    "PartitionedAtRuntime": lambda _: {"kind": "none", "partitions": {"by": "runtime"}},
}


def _written(dag: Any, timetable: Any, described: Callable[[Any], str]) -> str:
    """Return the schedule as the user wrote it.

    2.x keeps it in ``schedule_interval``, 3.x in ``schedule``.
    """
    for name in ("schedule", "schedule_interval"):
        value = dag.__dict__.get(name)
        if isinstance(value, (str, dt.timedelta)):
            return str(value)
        if type(value).__name__ == "relativedelta":
            return described(value)
    name = type(timetable).__name__
    if name == "NullTimetable":
        return "None"
    if name in ("OnceTimetable", "ContinuousTimetable"):
        return "@once" if name == "OnceTimetable" else "@continuous"
    summary = getattr(timetable, "summary", None)
    return f"{name} {summary}" if isinstance(summary, str) and summary != name else name


def describe_schedule(dag: Any, encode: Encoder) -> dict[str, Any]:
    """Return the schedule of a DAG as the fields of `orkestra_bridge.ir.model.Schedule`."""
    schedule = describe_timetable(dag.timetable)
    schedule.setdefault("timezone", _timezone(dag.timezone))
    schedule["text"] = _written(dag, dag.timetable, encode.described)
    schedule["attributes"] = timetable_rows(dag.timetable, encode)
    if schedule["kind"] == "asset":
        assets = schedule["assets"] = schedule_assets(dag)
        if assets:
            times = schedule.get("expressions") or [f"every {schedule.get('seconds')} s"]
            alone = schedule.get("seconds") is None and not schedule.get("expressions")
            schedule["text"] = " or ".join([*([] if alone else times), written(assets)])
    return schedule
