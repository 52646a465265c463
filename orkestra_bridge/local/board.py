"""What is going on in a run, told by its events: the tasks at work and those that have just ended."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, final

from orkestra_bridge.local.ledger import error_text, instance_name, is_entry
from orkestra_bridge.local.record import task_id_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from orkestra_bridge.local.interpreter import Event, Json


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One task: ``state`` is ``running``, ``waiting`` (for its next attempt) or what it ended with."""

    task_id: str
    state: str
    tries: int
    since: float
    seconds: float = 0.0
    note: str = ""


@final
@dataclass(slots=True)
class Board:
    """Keeps a line per task at work; ``clock`` gives seconds."""

    clock: Callable[[], float] = time.monotonic
    working: dict[tuple[str, str], Line] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def hear(self, event: Event) -> Line | None:
        """Take an event, and return the line of a task that it ends."""
        key = (event.scope, event.name)
        if event.type == "TaskScheduled" and event.details["resource"].endswith(":lambda:invoke"):
            self._scheduled(key, event.details)
        elif event.type == "TaskRetried" and key in self.working:
            note = f"{event.details['error']}, again in {event.details['seconds']:g} s"
            self.working[key] = replace(self.working[key], state="waiting", note=note)
        elif event.type in ("TaskStateExited", "PassStateExited"):
            return self._ended(key, event)
        return None

    def _scheduled(self, key: tuple[str, str], details: Json) -> None:
        task_id = task_id_of(key[1], details["arguments"])
        before = self.working.get(key)
        since = before.since if before else self.clock()
        self.working[key] = Line(task_id=task_id, state="running", tries=details["attempt"] + 1, since=since)

    def _ended(self, key: tuple[str, str], event: Event) -> Line | None:
        line = self.working.pop(key, None)
        task_id = line.task_id if line else event.name
        entry = _entry_of(task_id, event.details.get("output"))
        if entry is None:
            return None
        self.counts[entry["state"]] = self.counts.get(entry["state"], 0) + 1
        now = self.clock()
        since = line.since if line else now
        return Line(
            task_id=task_id,
            state=entry["state"],
            tries=int(entry.get("tries", 0)),
            since=since,
            seconds=now - since,
            note=error_text(entry) or "",
        )


def _entry_of(task_id: str, output: Json) -> dict[str, Json] | None:
    """Return the entry of a task instance in the output of its state, None if the output says nothing about it."""
    for name, entry in output.items() if isinstance(output, dict) else ():
        if is_entry(entry) and instance_name(name, entry.get("map_index", -1)) == task_id:
            return entry
    return None
