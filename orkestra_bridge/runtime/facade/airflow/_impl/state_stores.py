"""``task_state_store`` and ``asset_state_store`` of the context: what tasks store, and when they find it again.

Source: `airflow/sdk/execution_time/context.py` (3.3), and `airflow/state/metastore.py` for what is found and when it is
deleted. What a task stores belongs to a run, a task and a map index, so that it outlives retries and cleared task
instances; what is stored with an asset belongs to its name, for all DAGs and runs, and stays until it is deleted.
"""

from __future__ import annotations

import json
import logging
import time
from asyncio import to_thread
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow._impl.assets import Asset, AssetRef
from airflow._impl.configuration import conf
from airflow._impl.current import NEVER_EXPIRE
from airflow._impl.exceptions import AirflowException
from airflow._impl.settings import SETTINGS
from orkestra_bridge.runtime.context_keys import ASSET_STATE, TASK_STATE
from orkestra_bridge.runtime.storage import part
from orkestra_bridge.runtime.tables import Table, asset_scope, clear, scope_of, table_of

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


class AssetStateStoreAccessor(_Awaitable):
    """The values of one asset."""

    def set(self, key: str, value: Any) -> None:
        """Store a value; raises ValueError for None and for what is no JSON."""
        self._keep(key, value)


class AssetStateStoreAccessors:
    """``asset_state_store``: the values of each asset of a task, or of its only one."""

    def __init__(self, task: Any) -> None:
        table = table_of(ASSET_STATE)
        assert table is not None, "else the context has no such key"
        assets = [
            each
            for each in (*(task.inlets or ()), *(task.outlets or ()))
            if isinstance(each, (Asset, AssetRef))
        ]
        self._by_name = {
            each.name: AssetStateStoreAccessor(table, asset_scope(each.name)) for each in assets if each.name
        }
        self._by_uri = {str(each.uri) for each in assets if not each.name}

    def __getitem__(self, asset: Any) -> AssetStateStoreAccessor:
        if not isinstance(asset, (Asset, AssetRef)):
            raise TypeError(f"Expected Asset, AssetNameRef, or AssetUriRef; got {type(asset).__name__}")
        if not asset.name and asset.uri in self._by_uri:
            raise AirflowException(
                f"which asset {asset.uri} is the URI of is in Airflow's database: name it, as in Asset.ref(name=...)"
            )
        if asset.name not in self._by_name:
            raise KeyError(f"{asset!r} is not in this task's inlets or outlets")
        return self._by_name[asset.name]

    def _only(self) -> AssetStateStoreAccessor:
        count = len(self._by_name) + len(self._by_uri)
        if count != 1:
            raise ValueError(
                f"Task has {count} concrete inlets and outlets: use context['asset_state_store'][ASSET] to say which"
            )
        return next(iter(self._by_name.values())) if self._by_name else self[AssetRef(uri=min(self._by_uri))]

    def __getattr__(self, name: str) -> Any:
        if name not in ("get", "set", "delete", "clear", "aget", "aset", "adelete", "aclear"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return partial(self._call, name)

    def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return getattr(self._only(), name)(*args, **kwargs)

    def __repr__(self) -> str:
        names = [f"name={each!r}" for each in self._by_name] + [f"uri={each!r}" for each in self._by_uri]
        return f"<AssetStateStoreAccessors [{', '.join(names)}]>"


def clear_after_success(context: Any) -> None:
    """Forget what a task has stored when it succeeds, if the configuration says so."""
    if "task_state_store" in context and conf.getboolean("state_store", "clear_on_success"):
        context["task_state_store"].clear()
