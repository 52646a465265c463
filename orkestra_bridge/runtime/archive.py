"""Entries of the ledger that are no longer carried along: those of a part of a large DAG, once the part has ended.

The state machine passes 256 KiB from state to state, and a DAG of thousands of tasks has more to say than that. So where
it must be, a part's last state lets the handler store all that its tasks left, next to the XComs that are too large:

    <execution>/~ledger/<part>.json

What goes on with the run are the states of those tasks that later ones look at directly, marked with ``"in": <part>``.
The rest is read from there when somebody asks for it. The manifest says which tasks each part has.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.errors import RuntimeSetupError, XComStorageError
from orkestra_bridge.runtime.failure import completed
from orkestra_bridge.runtime.storage import VARIABLE, part, store_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orkestra_bridge.runtime.storage import Store

FOLDER = "~ledger"
PART = "in"
_LEFT = frozenset({"xcom", "error", "called"})


def put_away(workflow: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """Store the entries of a part, and return those that its run goes on with.

    Args:
        workflow: The manifest's workflow.
        event: ``archive`` has the number of the part and the ids of the tasks to ``keep``; ``ledger`` has the entries.

    Raises:
        RuntimeSetupError: There is no store.
        XComStorageError: They cannot be stored.
    """
    number, kept = event["archive"]["part"], event["archive"]["keep"]
    ledger = event["ledger"]
    entries = {task_id: ledger[task_id] for task_id in workflow["archived"][number - 1] if task_id in ledger}
    store = store_of(os.environ)
    if store is None:
        raise RuntimeSetupError(f"this function has no store ({VARIABLE} is not set)")
    store.write(_key(event, number), json.dumps(entries, separators=(",", ":")).encode())
    return {task_id: _short(ledger[task_id], number) for task_id in kept if task_id in ledger}


def _short(entry: Mapping[str, Any], number: int) -> dict[str, Any]:
    if "instances" in entry:
        return {"instances": [_short(one, number) for one in entry["instances"]]}
    if PART in entry:
        return dict(entry)
    return {**{key: value for key, value in entry.items() if key not in _LEFT}, PART: number}


def whole_ledger(workflow: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ledger of an event as one that knows what has been put away; the same where nothing ever is."""
    ledger: dict[str, Any] = event.get("ledger") or {}
    return Ledger(ledger, Archive(workflow, event)) if workflow.get("archived") else ledger


class Archive:
    """What parts have put away, as one invocation sees it."""

    def __init__(self, workflow: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        self._event = event
        self._homes: dict[str, list[int]] = {}
        for number, tasks in enumerate(workflow["archived"], start=1):
            for task_id in tasks:
                self._homes.setdefault(task_id, []).append(number)
        self._store: Store | None = store_of(os.environ)
        self._read: dict[int, Mapping[str, Any]] = {}

    def find(self, task_id: str) -> Mapping[str, Any] | None:
        """Return a task's entry, None if no part that has ended has one."""
        parts = (self.of_part(number) for number in self._homes.get(task_id, ()))
        return next((entries[task_id] for entries in parts if task_id in entries), None)

    def of_part(self, number: int) -> Mapping[str, Any]:
        """Return the entries of a part; none if it has not ended."""
        if number not in self._read:
            self._read[number] = self._entries(number)
        return self._read[number]

    def __iter__(self) -> Iterator[str]:
        return iter(self._homes)

    def _entries(self, number: int) -> Mapping[str, Any]:
        if self._store is None:
            return {}
        try:
            data = self._store.read(_key(self._event, number))
        except XComStorageError:  # it is not there yet: without the right to list, S3 does not say why
            return {}
        found = json.loads(data)
        return {task_id: _lazy(task_id, completed(entry), self) for task_id, entry in found.items()}


class Ledger(dict[str, Any]):
    """A ledger whose entries are completed from the archive, each when it is first looked at."""

    def __init__(self, known: Mapping[str, Any], archive: Archive) -> None:
        super().__init__({task_id: _lazy(task_id, entry, archive) for task_id, entry in known.items()})
        self._archive = archive

    def __missing__(self, task_id: str) -> Any:
        entry = self._archive.find(task_id)
        if entry is None:
            raise KeyError(task_id)
        self[task_id] = entry
        return entry

    def __contains__(self, task_id: object) -> bool:
        return super().__contains__(task_id) or (isinstance(task_id, str) and self.get(task_id) is not None)

    def get(self, task_id: str, default: Any = None) -> Any:
        """Return the entry of a task, or the default."""
        try:
            return self[task_id]
        except KeyError:
            return default

    def _load(self) -> None:
        for task_id in self._archive:
            self.get(task_id)

    def __iter__(self) -> Iterator[str]:
        self._load()
        return super().__iter__()

    def keys(self) -> Any:
        """Return the ids of all tasks that have ended."""
        self._load()
        return super().keys()

    def values(self) -> Any:
        """Return all entries."""
        self._load()
        return super().values()

    def items(self) -> Any:
        """Return all ids with their entries."""
        self._load()
        return super().items()


class _Lazy(dict[str, Any]):
    """An entry whose XComs and error are read when somebody asks for them."""

    def __init__(self, known: Mapping[str, Any], number: int, find: Any) -> None:
        super().__init__(known)
        self._number = number
        self._find = find

    def __missing__(self, key: str) -> Any:
        if key in _LEFT:
            return self._find(self._number)[key]
        raise KeyError(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return a field of the entry, or the default."""
        try:
            return self[key]
        except KeyError:
            return default


def _lazy(task_id: str, entry: Any, archive: Archive) -> Any:
    if not isinstance(entry, dict):
        return entry
    if "instances" in entry:
        return {
            "instances": [_instance(task_id, one, i, archive) for i, one in enumerate(entry["instances"])]
        }
    if PART not in entry:
        return entry
    return _Lazy(entry, entry[PART], lambda number: archive.of_part(number)[task_id])


def _instance(task_id: str, entry: Any, position: int, archive: Archive) -> Any:
    if PART not in entry:
        return entry
    return _Lazy(entry, entry[PART], lambda number: archive.of_part(number)[task_id]["instances"][position])


def _key(event: Mapping[str, Any], number: int) -> str:
    name = (event.get("execution") or {}).get("name") or "run"
    return f"{part(name)}/{FOLDER}/part-{number}.json"
