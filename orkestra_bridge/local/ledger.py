"""What the states of a run say about its tasks, gathered while it goes on: a failed run has it too."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard, final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.local.interpreter import Event, Json

ERROR_MESSAGE = re.compile(r'"errorMessage":\s*("(?:[^"\\]|\\.)*")')
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
    """Reads ``{task_id: entry}`` from the outputs of states."""

    def __init__(self) -> None:
        self._entries: dict[str, Mapping[str, Json]] = {}

    def hear(self, event: Event) -> None:
        """Take what an event says about tasks."""
        if event.type.endswith("StateExited"):
            self.take(event.details.get("output"))

    def take(self, output: Json) -> None:
        """Take the entries of an output, later ones instead of earlier ones; other outputs say nothing."""
        if isinstance(output, dict):
            self._entries.update((key, entry) for key, entry in output.items() if is_entry(entry))

    def results(self) -> dict[str, TaskResult]:
        """Return the result of each task that has ended, by task id."""
        from orkestra_bridge.runtime.serde import to_plain

        return {
            task_id: TaskResult(
                state=entry["state"],
                tries=int(entry.get("tries", 0)),
                xcom={key: to_plain(value) for key, value in sorted(entry.get("xcom", {}).items())},
                error=error_text(entry),
            )
            for task_id, entry in sorted(self._entries.items())
        }


def is_entry(value: Json) -> TypeGuard[dict[str, Json]]:
    """Return True if the value is what a task leaves in the ledger."""
    return isinstance(value, dict) and value.get("state") in STATES


def error_text(entry: Mapping[str, Json]) -> str | None:
    """Return ``Type: message`` of a failed task's entry, None if it has no error.

    A message that is Lambda's error document, whole or cut off, is reduced to its ``errorMessage``.
    """
    error = entry.get("error")
    if not isinstance(error, dict):
        return None
    message = str(error.get("message") or "")
    inner = ERROR_MESSAGE.search(message) if message.startswith("{") else None
    if inner:
        message = json.loads(inner[1])
    return ": ".join(str(part) for part in (error.get("type"), message) if part)
