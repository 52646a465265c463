"""Variables and connections that are looked up while a DAG file is loaded.

Part of the worker program: standard library and Airflow only, Python 3.8 and later. The secrets backends are
wrapped, since every way to a variable or connection (`airflow.models`, `airflow.sdk`, hooks) ends there on
every version.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from .worker_assume import Assumed

if TYPE_CHECKING:
    from collections.abc import Iterator


# As all versions word it: "Variable x does not exist", "Variable x not found", "The conn_id `x` isn't defined".
_NOT_FOUND = {"variable": "Variable {} ", "connection": "conn_id `{}`"}


class Lookups:
    """Names that were asked for since `clear`, with what is needed to redact their values."""

    def __init__(self, assumed: Assumed | None = None) -> None:
        self._assumed = Assumed() if assumed is None else assumed
        self.clear()

    def clear(self) -> None:
        """Forget everything before the next file."""
        self._found: dict[str, dict[str, Any]] = {"variable": {}, "connection": {}}

    def record(self, kind: str, name: str, value: Any) -> None:
        """Remember that a backend was asked for a name.

        A value that was found is not forgotten for a later None.
        """
        known = self._found[kind]
        if value is not None or name not in known:
            known[name] = value

    def made_up(self, kind: str, name: str) -> str | None:
        """Return a made-up value for what was not found, None if it is not to be made up."""
        return self._assumed.value(kind, name)

    def names(self, kind: str) -> list[str]:
        """Return the names of a kind (``variable`` or ``connection``), sorted."""
        return sorted(self._found[kind])

    def missing(self, text: str) -> list[str]:
        """Return kind and name of what was not found and is named in an exception's text.

        Empty if there is none.
        """
        for kind, known in self._found.items():
            for name in sorted(known, key=len, reverse=True):
                if known[name] is None and _NOT_FOUND[kind].format(name) in text:
                    return [kind, name]
        return []

    def values(self) -> Iterator[str]:
        """Yield every text that may be a secret."""
        for value in self._found["variable"].values():
            yield from _texts(value)
        for value in self._found["connection"].values():
            yield from _connection_texts(value)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, str):
        yield value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        try:
            yield from _leaves(json.loads(value))
        except ValueError:
            return


def _connection_texts(value: Any) -> Iterator[str]:
    if not isinstance(value, str):
        value = getattr(value, "get_uri", str)() if value is not None else ""
    yield from _texts(value)
    try:
        parts = urlsplit(value)
        yield from (unquote(text) for text in (parts.password, parts.username) if text)
        yield from (text for _, text in parse_qsl(parts.query))
    except ValueError:
        return


def _wrap(cls: type, method: str, kind: str, lookups: Lookups, *, made_up: bool = True) -> None:
    original = getattr(cls, method, None)
    if original is None:
        return

    @functools.wraps(original)
    def recorded(self: Any, *args: Any, **kwargs: Any) -> Any:
        name = args[0] if args else kwargs.get("key", kwargs.get("conn_id"))
        lookups.record(kind, str(name), None)
        value = original(self, *args, **kwargs)
        lookups.record(kind, str(name), value)
        return lookups.made_up(kind, str(name)) if value is None and made_up else value

    setattr(cls, method, recorded)


def _nothing(*_: Any, **__: Any) -> None:
    """Stand in for the metadata database, which a conversion does not have."""


def install(lookups: Lookups) -> None:
    """Wrap Airflow's environment backend and the one that the user configured; take the database out."""
    from airflow.configuration import conf
    from airflow.secrets.environment_variables import EnvironmentVariablesBackend
    from airflow.secrets.metastore import MetastoreBackend

    _wrap(EnvironmentVariablesBackend, "get_variable", "variable", lookups)
    _wrap(EnvironmentVariablesBackend, "get_conn_value", "connection", lookups)
    for method in ("get_variable", "get_connection"):
        setattr(MetastoreBackend, method, _nothing)
    custom = conf.getimport("secrets", "backend", fallback=None)
    if isinstance(custom, type):
        _wrap(custom, "get_variable", "variable", lookups, made_up=False)
        _wrap(custom, "get_connection", "connection", lookups, made_up=False)
