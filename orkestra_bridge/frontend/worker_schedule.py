"""A DAG's timetable as plain values. Source: `airflow.timetables` (2.x) and `airflow.sdk.definitions.timetables` (3.x).

Part of the worker program: standard library only, Python 3.8 and later. Timetables are told apart by class name, since the
classes of the two majors are unrelated; a class that Airflow does not define is custom even if it derives from one that it does.
"""

from __future__ import annotations

import datetime
from typing import Any, Callable, Dict, List

_SIMPLE = {
    "NullTimetable": "none",
    "OnceTimetable": "once",
    "ContinuousTimetable": "continuous",
    "DatasetTriggeredTimetable": "asset",
    "AssetTriggeredTimetable": "asset",
}
_CRON = {"CronDataIntervalTimetable": True, "CronTriggerTimetable": False}
_DELTA = {"DeltaDataIntervalTimetable": True, "DeltaTriggerTimetable": False}
_TIMED_ASSETS = {"DatasetOrTimeSchedule", "AssetOrTimeSchedule"}


def _read(timetable: Any, name: str) -> Any:
    """Return an attribute that Airflow 2 keeps under a leading underscore."""
    value = getattr(timetable, "_" + name, None)
    return getattr(timetable, name, None) if value is None else value


def _timezone(value: Any) -> str:
    name = getattr(value, "key", None) or getattr(value, "name", None)
    return str(name or value or "UTC")


def _has_interval(timetable: Any) -> bool:
    """Return True for trigger timetables whose data interval is not empty, which no field of a schedule can carry."""
    return bool(_read(timetable, "interval") or False)


def _cron(timetable: Any, name: str) -> Dict[str, Any]:
    if _has_interval(timetable):
        return {"kind": "custom"}
    return {
        "kind": "cron",
        "expressions": [str(_read(timetable, "expression"))],
        "timezone": _timezone(_read(timetable, "timezone")),
        "data_interval": _CRON[name],
    }


def _several(timetable: Any) -> Dict[str, Any]:
    parts = [describe_timetable(part) for part in _read(timetable, "timetables") or ()]
    if not parts or any(part["kind"] != "cron" for part in parts):
        return {"kind": "custom"}
    expressions: List[str] = [text for part in parts for text in part["expressions"]]
    return {**parts[0], "expressions": expressions}


def _delta(timetable: Any, name: str) -> Dict[str, Any]:
    if _has_interval(timetable):
        return {"kind": "custom"}
    delta = _read(timetable, "delta")
    seconds = delta.total_seconds() if isinstance(delta, datetime.timedelta) else None
    return {"kind": "delta", "seconds": seconds, "data_interval": _DELTA[name]}


def _timed_assets(timetable: Any) -> Dict[str, Any]:
    inner = describe_timetable(_read(timetable, "timetable"))
    if inner["kind"] != "cron":
        return {"kind": "asset"}
    return {**inner, "kind": "asset"}


def describe_timetable(timetable: Any) -> Dict[str, Any]:
    """Return the fields of `orkestra_bridge.ir.model.Schedule` that the timetable decides; ``kind`` is always there."""
    cls = type(timetable)
    if not cls.__module__.startswith("airflow."):
        return {"kind": "custom"}
    name = cls.__name__
    if name in _SIMPLE:
        return {"kind": _SIMPLE[name]}
    if name in _CRON:
        return _cron(timetable, name)
    if name in _DELTA:
        return _delta(timetable, name)
    if name == "MultipleCronTriggerTimetable":
        return _several(timetable)
    if name in _TIMED_ASSETS:
        return _timed_assets(timetable)
    return {"kind": "custom"}


def _written(dag: Any, timetable: Any, described: Callable[[Any], str]) -> str:
    """Return the schedule as the user wrote it: 2.x keeps it in ``schedule_interval``, 3.x in ``schedule``."""
    for name in ("schedule", "schedule_interval"):
        value = dag.__dict__.get(name)
        if isinstance(value, (str, datetime.timedelta)):
            return str(value)
        if type(value).__name__ == "relativedelta":
            return described(value)
    name = type(timetable).__name__
    if name == "NullTimetable":
        return "None"
    if name in ("OnceTimetable", "ContinuousTimetable"):
        return "@once" if name == "OnceTimetable" else "@continuous"
    summary = getattr(timetable, "summary", None)
    return "{} {}".format(name, summary) if isinstance(summary, str) and summary != name else name


def describe_schedule(dag: Any, described: Callable[[Any], str]) -> Dict[str, Any]:
    """Return the schedule of a DAG as the fields of `orkestra_bridge.ir.model.Schedule`."""
    schedule = describe_timetable(dag.timetable)
    schedule.setdefault("timezone", _timezone(dag.timezone))
    schedule["text"] = _written(dag, dag.timetable, described)
    return schedule
