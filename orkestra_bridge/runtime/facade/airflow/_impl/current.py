"""The context of the task that is running in this process."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple

from airflow._impl.settings import SETTINGS

_RUNNING: list[Any] = []


class Context(MutableMapping[str, Any]):
    """The type that context parameters are annotated with; the runtime passes a mapping of its own."""


NEVER_EXPIRE = timedelta.max


class AirflowParsingContext(NamedTuple):
    """Which task a file is loaded for; a file that asks makes all of its DAGs here."""

    dag_id: str | None = None
    task_id: str | None = None


def get_parsing_context() -> AirflowParsingContext:
    return AirflowParsingContext()


def context_merge(context: Any, *args: Any, **kwargs: Any) -> None:
    """Update a context in place, as `dict.update` does."""
    context.update(*args, **kwargs)


_CONTEXT_NAMES = ("DAG_ID", "TASK_ID", "LOGICAL_DATE", "EXECUTION_DATE", "TRY_NUMBER")
_CONTEXT_NAMES += ("DAG_RUN_ID", "DAG_OWNER", "DAG_EMAIL")
AIRFLOW_VAR_NAME_FORMAT_MAPPING = {
    f"AIRFLOW_CONTEXT_{name}": {
        "default": f"airflow.ctx.{name.lower()}",
        "env_var_format": f"AIRFLOW_CTX_{name}",
    }
    for name in _CONTEXT_NAMES
}
DEFAULT_FORMAT_PREFIX = "airflow.ctx."
ENV_VAR_FORMAT_PREFIX = "AIRFLOW_CTX_"


def context_to_airflow_vars(context: Any, in_env_var_format: bool = False) -> dict[str, str]:
    """Return what commands get to know of the context, as names of environment variables or with dots."""
    from orkestra_bridge.runtime.context import environment_variables

    found = environment_variables(context)
    if in_env_var_format:
        return found
    return {f"airflow.ctx.{name.removeprefix(ENV_VAR_FORMAT_PREFIX).lower()}": found[name] for name in found}


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
