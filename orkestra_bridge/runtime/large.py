"""XCom values that are too large for the ledger: put away when a task ends, and fetched when somebody looks at them.

The ledger then holds a reference, ``{"__xcom__": "stored", "value": execution}``, with the number of items as
``"length"`` where the value can be mapped over. In the entries of mapped instances, of which there may be thousands, it
is as short as can be: the entry of the task says the execution for all of them. What is stored is the encoded value, in
JSON, under

    <execution>/<task_id>/<key>.json    or    <execution>/<task_id>/<map_index>/<key>.json

of the execution that the reference names: the one that ran the task, which may be an earlier one if a run was resumed.
A retry writes the same object again.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from orkestra_bridge.runtime import serde
from orkestra_bridge.runtime.errors import XComStorageError, XComTooLargeError
from orkestra_bridge.runtime.mapping import RESULT_BYTES, ROOM_OF_MAPS
from orkestra_bridge.runtime.storage import CONNECTIONS, VARIABLE, part, store_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orkestra_bridge.runtime.storage import Store

INLINE_LIMIT = 8 * 1024
"""Bytes of JSON that the XComs of one task instance may have in the ledger, if the manifest says nothing else."""
STATE_DATA = 262_144
"""Bytes that a state's result may have (AWS: "Step Functions service quotas")."""
LENGTH = "length"
KEPT_IN_ERROR = 1_000
"""Bytes for XComs that stand in an error: it is part of the ledger from then on, beside its message."""
_REST = 2 * 1024
"""Bytes of an entry beside its XComs."""
REST_OF_INSTANCE = 80
_REMEMBERED = 64 * 1024 * 1024
"""Bytes of JSON that an invocation keeps: who goes through thousands of large values needs each only once."""
_WORTH_STORING = 128
_WORTH_STORING_OF_INSTANCE = 24
"""Bytes: a reference has about as many."""
_OF_INSTANCE = {serde.TAG: serde.STORED}
# Says which tasks a branch skipped: the tasks below look at it, and it is as long as the entry's own list of them.
_ALWAYS_INLINE = "skipmixin_key"


class Place(NamedTuple):
    """Whose XCom it is: a map index of -1 for a task that is not mapped."""

    task_id: str
    map_index: int
    key: str

    def within(self, execution: str) -> str:
        """Return the key of the object that holds the value."""
        index = [str(self.map_index)] if self.map_index >= 0 else []
        return "/".join([part(execution), part(self.task_id), *index, f"{part(self.key)}.json"])


class LargeXComs:
    """The store as one invocation sees it: what it has read or written once is not read again."""

    def __init__(self, store: Store | None = None, execution: str = "", limit: int = INLINE_LIMIT) -> None:
        self._store = store
        self._execution = execution
        self._limit = limit
        self._known: dict[str, Any] = {}
        self._remembered = 0

    def put_away(
        self, pushed: dict[str, Any], task_id: str, map_index: int, *, room: int | None = None
    ) -> None:
        """Replace the largest of a task instance's XComs by references until the others fit into the ledger.

        Args:
            pushed: Encoded values by key; it is changed.
            task_id: The task that pushed them.
            map_index: Its map index, or -1.
            room: Bytes for all that stays, if not as many as the ledger has for it.

        Raises:
            XComStorageError: If a value cannot be stored.
            XComTooLargeError: If there is no store, and they are more than a state machine passes on.
        """
        sizes = {key: _size(key, value) for key, value in pushed.items()}
        total = sum(sizes.values())
        limit = self._limit if room is None else min(room, self._limit)
        worth = _WORTH_STORING if map_index < 0 else _WORTH_STORING_OF_INSTANCE
        if self._store is None:
            _check_size(total, task_id)
            return
        for key in sorted(sizes, key=lambda name: (-sizes[name], name)):
            if total <= limit or sizes[key] - len(key) <= worth:
                break
            if key != _ALWAYS_INLINE and not is_reference(pushed[key]):
                pushed[key] = self._stored(pushed[key], Place(task_id, map_index, key))
                total += _size(key, pushed[key]) - sizes[key]

    def _stored(self, encoded: Any, place: Place) -> dict[str, Any]:
        assert self._store is not None, "put_away looks at that"
        name, data = place.within(self._execution), _text(encoded).encode()
        try:
            self._store.write(name, data)
        except XComStorageError as problem:
            raise XComStorageError(f"XCom {place.key!r} of task {place.task_id!r}: {problem}") from problem
        self._remember(name, encoded, len(data))
        if place.map_index >= 0:
            return dict(_OF_INSTANCE)
        length = serde.length_of(encoded)
        more = {} if length is None else {LENGTH: length}
        return {serde.TAG: serde.STORED, serde.VALUE: self._execution, **more}

    def value(self, encoded: Any, place: Place) -> Any:
        """Return the value of an XCom from what the ledger has of it; raises XComStorageError if it is not there."""
        return serde.decode(self._document(encoded, place) if is_reference(encoded) else encoded)

    def plain(self, encoded: Any, place: Place) -> Any:
        """Return the same as plain JSON for people; raises XComStorageError if it is not there."""
        return serde.to_plain(self._document(encoded, place) if is_reference(encoded) else encoded)

    def length(self, encoded: Any, place: Place) -> int:
        """Return the number of items of an XCom; raises TypeError if it has none."""
        if is_reference(encoded) and LENGTH in encoded:
            return int(encoded[LENGTH])
        return len(self.value(encoded, place))

    def fetch(self, found: Iterable[tuple[Any, Place]]) -> None:
        """Read all of these that are stored side by side, so that looking at each takes no time.

        One that cannot be read raises its error when it is looked at.
        """
        names = [self._name(encoded, place) for encoded, place in found if is_reference(encoded)]
        missing = [name for name in dict.fromkeys(names) if name not in self._known]
        if len(missing) < 2:
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(min(CONNECTIONS, len(missing))) as pool:
            for reading in [pool.submit(self._read, name) for name in missing]:
                reading.exception()

    def _document(self, reference: Mapping[str, Any], place: Place) -> Any:
        name = self._name(reference, place)
        if name in self._known:
            return self._known[name]
        try:
            return self._read(name)
        except XComStorageError as problem:
            raise XComStorageError(
                f"XCom {place.key!r} of task {place.task_id!r} is stored and cannot be had: {problem}"
            ) from problem

    def _name(self, reference: Mapping[str, Any], place: Place) -> str:
        return place.within(reference.get(serde.VALUE) or self._execution)

    def _read(self, name: str) -> Any:
        if self._store is None:
            raise XComStorageError(f"this function has no store ({VARIABLE} is not set)")
        data = self._store.read(name)
        document = json.loads(data)
        self._remember(name, document, len(data))
        return document

    def _remember(self, name: str, document: Any, size: int) -> None:
        if self._remembered + size > _REMEMBERED:
            self._known.clear()
            self._remembered = 0
        self._known[name] = document
        self._remembered += size


def large_xcoms(workflow: Mapping[str, Any], event: Mapping[str, Any]) -> LargeXComs:
    """Return the store of the run that an event belongs to; raises nothing before something is stored or read."""
    execution = event.get("execution") or {}
    name = execution.get("name") or (event.get("run") or {}).get("run_id") or "run"
    limit = workflow.get("inline_limit") or INLINE_LIMIT
    return LargeXComs(store_of(os.environ), name, min(limit, share_of_instance(workflow, event)))


def share_of_instance(workflow: Mapping[str, Any], event: Mapping[str, Any]) -> int:
    """Return the bytes of XComs of one instance: all instances of all mapped tasks have to fit into the state data.

    Those whose number was known when the DAG was converted have no more than any other task (`inline_limit`).
    """
    if int(event.get("map_index", -1)) < 0:
        return STATE_DATA
    tasks = {task["task_id"]: task for task in workflow["tasks"]}
    groups = {group["group_id"]: group for group in workflow.get("mapped_groups", ())}
    known = _known_length(tasks.get(event.get("task_id"), {}), groups)
    ledger = event.get("ledger") or {}
    entry = ledger.get(event.get("task_id"), {})
    rest = REST_OF_INSTANCE + len(event["task_id"])
    mapped = [each for each in tasks.values() if each.get("mapped")]
    if known:
        return max(0, RESULT_BYTES // max(1, len(mapped)) // known - rest)
    if "share" in entry:
        return max(0, int(entry["share"]) - rest)
    open_ended = sum(1 for each in mapped if not _known_length(each, groups))
    return max(0, ROOM_OF_MAPS // max(1, open_ended) // (entry.get("length") or 1) - rest)


def _known_length(task: Mapping[str, Any], groups: Mapping[str, Mapping[str, Any]]) -> int:
    around = groups.get(task.get("mapped_group", ""), task)
    return (around.get("expansion") or {}).get("length") or 0


def with_execution(xcom: Mapping[str, Any], execution: str) -> dict[str, Any]:
    """Return the XComs of an instance with whole references, as they are without the task's entry around them."""
    return {
        key: {**value, serde.VALUE: execution} if value == _OF_INSTANCE else value
        for key, value in xcom.items()
    }


def is_reference(encoded: Any) -> bool:
    """Return True if the ledger has a reference instead of the value."""
    return isinstance(encoded, dict) and encoded.get(serde.TAG) == serde.STORED


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _size(key: str, value: Any) -> int:
    return len(_text(key)) + len(_text(value)) + 2


def _check_size(total: int, task_id: str) -> None:
    if total > STATE_DATA - _REST:
        raise XComTooLargeError(
            f"the XComs of task {task_id!r} have {total:,} bytes, a state machine passes on {STATE_DATA:,}; "
            f"name a bucket for larger ones in the function's environment variable {VARIABLE} (s3://bucket/prefix)"
        )
