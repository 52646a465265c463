"""How tasks wait: the arguments that decide when they look again, and which other DAG they wait for.

Part of the worker program: standard library and Airflow only, Python 3.8 and later.
"""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import Any

from .worker_values import seconds

_DEFAULTS = {"poke_interval": 60.0, "timeout": 604800.0}
"""What a mapped sensor gets that was given nothing: it has no object yet that Airflow filled in."""
_OTHER_DAG = {"TriggerDagRunOperator": "trigger_dag_id", "ExternalTaskSensor": "external_dag_id"}

_CLASSES = 64
"""Classes that are remembered; those of a DAG file are not asked for again after it."""


def polling_of(task: Any, kind: type, mapped: bool) -> dict[str, Any] | None:
    """Return how a task waits as the fields of `Polling`, None for one that does not."""
    names = _class_names(kind)
    given = task.partial_kwargs if mapped else vars(task)
    sensor = "BaseSensorOperator" in names
    triggers = "TriggerDagRunOperator" in names and given.get("wait_for_completion")
    if not sensor and not triggers and not _defers(kind, given):
        return None
    return {
        "interval": _seconds(given, "poke_interval"),
        "timeout": _seconds(given, "timeout"),
        "exponential": bool(given.get("exponential_backoff")),
        "resumes": not sensor,
    }


def other_dag_of(task: Any, kind: type, mapped: bool) -> str | None:
    """Return the id of the DAG that a task starts or waits for."""
    given = task.partial_kwargs if mapped else vars(task)
    for name in _class_names(kind):
        if name in _OTHER_DAG:
            value = given.get(_OTHER_DAG[name])
            return "{{ expand }}" if value is None else str(value)
    return None


def _defers(kind: type, given: dict[str, Any]) -> bool:
    """Return True for a task that defers: it was told to, or its class knows no other way."""
    if "deferrable" in given:
        return given["deferrable"] is True
    return _always_defers(kind)


@lru_cache(maxsize=_CLASSES)
def _class_names(kind: type) -> tuple[str, ...]:
    return tuple(base.__name__ for base in kind.__mro__)


@lru_cache(maxsize=_CLASSES)
def _always_defers(kind: type) -> bool:
    """Return True if a method defers that `execute` reaches; one that calls another by its name, that is."""
    pending, seen = ["execute"], set()
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        # Airflow wraps every execute()
        code = getattr(inspect.unwrap(getattr(kind, name, len)), "__code__", None)
        names = getattr(code, "co_names", ())
        if "defer" in names:
            return True
        pending.extend(each for each in names if inspect.isfunction(getattr(kind, each, None)))
    return False


def _seconds(given: dict[str, Any], name: str) -> float:
    number = seconds(given.get(name))
    return _DEFAULTS[name] if number is None else float(number)
