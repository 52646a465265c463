"""``task_state_store`` of the context: what a task stores and finds again when it is retried.

Source: `airflow/sdk/execution_time/context.py` (3.3), and `airflow/state/metastore.py` for what is found and when it is
deleted: a row belongs to a run, a task and a map index, so that it outlives retries and cleared task instances.
"""

from __future__ import annotations

import json
import logging
import time
from asyncio import to_thread
from typing import TYPE_CHECKING, Any

from airflow._impl.configuration import conf
from airflow._impl.current import NEVER_EXPIRE
from airflow._impl.settings import SETTINGS
from orkestra_bridge.runtime.context_keys import TASK_STATE
from orkestra_bridge.runtime.storage import part
from orkestra_bridge.runtime.tables import Table, clear, scope_of, table_of

if TYPE_CHECKING:
    from datetime import timedelta

log = logging.getLogger("airflow.task")


class _Values:
    """The values of one scope."""

    def __init__(self, table: Table, scope: str) -> None:
        self._table = table
        self._scope = scope

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._scope == other._scope  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash(self._scope)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._scope}>"

    def get(self, key: str, default: Any = None) -> Any:
        """Return the stored value, or ``default``."""
        text = self._table.read(self._scope, part(key))
        return default if text is None else json.loads(text)

    def delete(self, key: str) -> None:
        """Forget a value, if it is there."""
        self._table.delete(self._scope, part(key))

    def clear(self) -> None:
        """Forget all values."""
        clear(self._table, self._scope)

    def _keep(self, key: str, value: Any, expires: float | None = None) -> None:
        self._table.write(self._scope, part(key), _encoded(key, value), expires)


class _Awaitable(_Values):
    """The same for functions that must not wait."""

    async def aget(self, key: str, default: Any = None) -> Any:
        return await to_thread(self.get, key, default)

    async def aset(self, key: str, value: Any, **more: Any) -> None:
        setting: Any = self
        await to_thread(setting.set, key, value, **more)

    async def adelete(self, key: str) -> None:
        await to_thread(self.delete, key)

    async def aclear(self) -> None:
        await to_thread(self.clear)


class TaskStateStoreAccessor(_Values):
    """The values of one task instance, whichever try it is."""

    def set(self, key: str, value: Any, *, retention: timedelta | None = None) -> None:
        """Store a value until ``retention`` is over; raises ValueError for None and for what is no JSON."""
        self._keep(key, value, _expiry(retention))


class AwaitableTaskStateStoreAccessor(TaskStateStoreAccessor, _Awaitable):
    """What Airflow gives after 3.3.2: before, tasks can only wait."""


def _expiry(retention: timedelta | None) -> float | None:
    if retention is NEVER_EXPIRE:
        return None
    if retention is not None:
        return time.time() + retention.total_seconds()
    days = conf.getint("state_store", "default_retention_days")
    if days < 0:
        raise ValueError(f"[state_store] default_retention_days must be >= 0, got {days}.")
    return time.time() + days * 86_400 if days else None


def _encoded(key: str, value: Any) -> str:
    if value is None:
        raise ValueError("Cannot set value as None")
    if not _is_json(value):
        raise ValueError(f"the value of {key!r} is no JSON: {value!r:.200}")
    text = json.dumps(value)
    limit = conf.getint("state_store", "max_value_storage_bytes")
    if 0 < limit < len(text):
        log.warning(
            "The value of %r has %d bytes, more than max_value_storage_bytes=%d", key, len(text), limit
        )
    return text


def _is_json(value: Any) -> bool:
    """Return True for what pydantic takes for JSON: no tuples, and no keys but texts."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(each) for key, each in value.items())
    if isinstance(value, list):
        return all(map(_is_json, value))
    return value is None or isinstance(value, (str, int, float))


def task_state_store(ti: Any) -> TaskStateStoreAccessor:
    """Return the values of a task instance."""
    table = table_of(TASK_STATE)
    assert table is not None, "else the context has no such key"
    scope = scope_of(ti)
    kind = TaskStateStoreAccessor if SETTINGS.version in ("3.3.0", "3.3.1", "3.3.2") else None
    return (kind or AwaitableTaskStateStoreAccessor)(table, scope)


def clear_after_success(context: Any) -> None:
    """Forget what a task has stored when it succeeds, if the configuration says so."""
    if "task_state_store" in context and conf.getboolean("state_store", "clear_on_success"):
        context["task_state_store"].clear()
