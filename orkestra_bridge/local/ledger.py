"""What the states of a run say about its tasks, gathered while it goes on: a failed run has it too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard, final

from orkestra_bridge.errors import LocalRunError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.local.interpreter import Event, Json
    from orkestra_bridge.runtime.large import LargeXComs
    from orkestra_bridge.runtime.storage import Store

STATES = frozenset({"success", "failed", "skipped", "upstream_failed"})


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """How a task ended; ``xcom`` is plain JSON."""

    state: str
    tries: int
    xcom: Mapping[str, Json]
    error: str | None = None


class Ledger:
    """Reads ``{task_id: entry}`` from the outputs of states, as `orkestra_bridge.runtime.mapping` says.

    ``store`` has the XComs that are not in the ledger, under the name of the execution.
    """

    def __init__(self, store: Store | None = None, execution: str = "") -> None:
        self._store = store
        self._execution = execution
        self._entries: dict[tuple[str, int], Mapping[str, Json]] = {}

    def hear(self, event: Event) -> None:
        """Take what an event says about tasks."""
        if event.type.endswith("StateExited"):
            self.take(event.details.get("output"))

    def take(self, output: Json) -> None:
        """Take the entries of an output, later ones instead of earlier ones; other outputs say nothing.

        Those that have been put away were whole in an earlier output.
        """
        from orkestra_bridge.runtime.archive import PART
        from orkestra_bridge.runtime.failure import completed

        for task_id, entry in output.items() if isinstance(output, dict) else ():
            whole = completed(entry) if entries_of(entry) else entry
            self._entries.update(
                ((task_id, one.get("map_index", -1)), one) for one in entries_of(whole) if PART not in one
            )

    def states(self) -> dict[str, Json]:
        """Return the states of the task instances that have ended, in the shape of the ledger."""
        found: dict[str, Json] = {}
        for (task_id, _), entry in self._entries.items():
            found.setdefault(task_id, {"instances": []})["instances"].append({"state": entry["state"]})
        return found

    def results(self) -> dict[str, TaskResult]:
        """Return the result of each task instance that has ended, by task id, ``task_id[3]`` for a mapped one.

        Raises LocalRunError: an XCom is not where it was stored.
        """
        from orkestra_bridge.runtime.errors import XComStorageError
        from orkestra_bridge.runtime.large import LargeXComs

        large = LargeXComs(self._store, self._execution)
        try:
            return {
                instance_name(*instance): _result(*instance, entry, large)
                for instance, entry in sorted(self._entries.items(), key=lambda item: item[0])
            }
        except XComStorageError as problem:
            raise LocalRunError(str(problem), remedy="run the DAG again") from problem


def _result(task_id: str, map_index: int, entry: Mapping[str, Json], large: LargeXComs) -> TaskResult:
    from orkestra_bridge.runtime.large import Place

    return TaskResult(
        state=entry["state"],
        tries=int(entry.get("tries", 0)),
        xcom={
            key: large.plain(value, Place(task_id, map_index, key))
            for key, value in sorted(entry.get("xcom", {}).items())
        },
        error=error_text(entry),
    )


def instance_name(task_id: str, map_index: int) -> str:
    """Return what a task instance is called; the map index is -1 for one that is not mapped."""
    return f"{task_id}[{map_index}]" if map_index >= 0 else task_id


def entries_of(value: Json) -> list[dict[str, Json]]:
    """Return the entries of task instances in a value of the ledger: one, all of a mapped task, or none."""
    instances = value.get("instances") if isinstance(value, dict) else None
    return [one for one in (instances if isinstance(instances, list) else [value]) if is_entry(one)]


def is_entry(value: Json) -> TypeGuard[dict[str, Json]]:
    """Return True if the value is what a task leaves in the ledger."""
    return isinstance(value, dict) and value.get("state") in STATES


def error_text(entry: Mapping[str, Json]) -> str | None:
    """Return ``Type: message`` of a failed task's entry, None if it has no error."""
    from orkestra_bridge.runtime.failure import message_of

    error = entry.get("error")
    if not isinstance(error, dict):
        return None
    parts = (error.get("type"), message_of(str(error.get("message") or "")))
    return ": ".join(str(part) for part in parts if part)
