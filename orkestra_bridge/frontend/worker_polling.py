"""How sensors wait: the arguments that decide when they look again.

Part of the worker program: standard library and Airflow only, Python 3.8 and later.
"""

from __future__ import annotations

from typing import Any

from .worker_values import seconds

_DEFAULTS = {"poke_interval": 60.0, "timeout": 604800.0}
"""What a mapped sensor gets that was given nothing: it has no object yet that Airflow filled in."""


def polling_of(task: Any, kind: type, mapped: bool) -> dict[str, Any] | None:
    """Return a sensor's arguments as the fields of `Polling`, None for any other operator."""
    if not any(base.__name__ == "BaseSensorOperator" for base in kind.__mro__):
        return None
    given = task.partial_kwargs if mapped else vars(task)
    return {
        "interval": _seconds(given, "poke_interval"),
        "timeout": _seconds(given, "timeout"),
        "exponential": bool(given.get("exponential_backoff")),
    }


def _seconds(given: dict[str, Any], name: str) -> float:
    number = seconds(given.get(name))
    return _DEFAULTS[name] if number is None else float(number)
