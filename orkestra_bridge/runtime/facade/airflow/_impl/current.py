"""The context of the task that is running in this process."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from airflow._impl.settings import SETTINGS

_RUNNING: list[Any] = []


class Context(MutableMapping[str, Any]):
    """The type that context parameters are annotated with; the runtime passes a mapping of its own."""


@contextmanager
def set_current_context(context: Any) -> Iterator[Any]:
    """Make a context the current one for the length of a ``with`` block."""
    _RUNNING.append(context)
    try:
        yield context
    finally:
        _RUNNING.pop()


def get_current_context() -> Any:
    """Return the context of the running task.

    Raises:
        AirflowException: If no task is running (RuntimeError in Airflow 3).
    """
    if _RUNNING:
        return _RUNNING[-1]
    from airflow._impl.exceptions import AirflowException

    kind = RuntimeError if SETTINGS.major > 2 else AirflowException
    raise kind(
        "Current context was requested but no context was found! Are you running within an Airflow task?"
    )
