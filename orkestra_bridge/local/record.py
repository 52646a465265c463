"""The folder of a run: a log per task, and the events of the execution."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import IO, TYPE_CHECKING, final

from orkestra_bridge.errors import OutputError
from orkestra_bridge.local.ledger import instance_name
from orkestra_bridge.naming import shorten
from orkestra_bridge.packaging.pythons import RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orkestra_bridge.local.interpreter import Event, Json, TaskCall

EVENTS = "events.jsonl"
XCOMS = "xcom"
"""Folder with the XComs that are too large for the state data; there only if a task pushed one."""
NAME_LIMIT = 120
TASK_STATE = "state"
"""Folder with what tasks store for their next tries."""
ASSET_EVENTS = "asset_events"
"""Folder with the events of assets that its tasks updated."""
SHOWN_DATA = 4096
"""Characters of an event beyond which its data (input, output, arguments, result) are left out of the
file.
"""
DATA = ("input", "output", "arguments", "result")


@final
class RunFolder:
    """A new folder ``OUT/.runs/<run_id>``; use as a context manager."""

    def __init__(self, out: Path, run_id: str) -> None:
        self.path = _new_folder(out / RUNS, run_id)
        self._events: IO[str] = (self.path / EVENTS).open("w", encoding="utf-8")

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self._events.close()

    @property
    def xcoms(self) -> Path:
        """The folder for large XComs."""
        return self.path / XCOMS

    @property
    def task_state(self) -> Path:
        """The folder for what tasks store for their next tries."""
        return self.path / TASK_STATE

    @property
    def asset_events(self) -> Path:
        """The folder for events of assets."""
        return self.path / ASSET_EVENTS

    def log_of(self, call: TaskCall) -> Path:
        """Return the log of the task that a call runs, with a heading for the attempt."""
        return self.log_named(task_id_of(call.state, call.arguments), call.attempt)

    def log_named(self, name: str, attempt: int) -> Path:
        """Return the log of a task instance, with a heading for the attempt, which counts from 0."""
        path = self.path / f"{safe_name(name)}.log"
        with path.open("a", encoding="utf-8") as log:
            log.write(f"--- attempt {attempt + 1}\n")
        return path

    def hear(self, event: Event) -> None:
        """Write an event, one JSON object per line."""
        line = _line(event, event.details)
        if len(line) > SHOWN_DATA:
            line = _line(event, {key: value for key, value in event.details.items() if key not in DATA})
        self._events.write(line + "\n")


def task_id_of(state: str, arguments: Json) -> str:
    """Return the task id in a Lambda payload, with its map index if it has one; else the state's name."""
    with suppress(KeyError, TypeError):
        payload = arguments["Payload"]
        return instance_name(str(payload["task_id"]), payload.get("map_index", -1))
    return state


def safe_name(text: str) -> str:
    """Return the text as a file name on every system."""
    clean = re.sub(r"[^\w.+\-\[\]]", "_", text).lstrip(".")
    if len(clean.encode()) > max(NAME_LIMIT, len(clean)):
        return shorten(
            clean, NAME_LIMIT // 4
        )  # file systems count bytes, of which a character has up to four
    return shorten(clean, NAME_LIMIT) or "_"


def _line(event: Event, details: Json) -> str:
    head = {"id": event.id, "timestamp": event.timestamp, "type": event.type}
    place = {key: value for key, value in (("name", event.name), ("scope", event.scope)) if value}
    return json.dumps({**head, **place, **details}, ensure_ascii=False)


def _new_folder(home: Path, run_id: str) -> Path:
    for path in _candidates(home / safe_name(run_id)):
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as problem:
            raise OutputError(
                f"{path} cannot be made: {problem}", remedy="name another folder with --out"
            ) from problem
        return path
    raise AssertionError("there are names without end")


def _candidates(path: Path) -> Iterator[Path]:
    """Yield names for a run that was made before with the same run id; nothing is overwritten."""
    yield path
    number = 2
    while True:
        yield path.with_name(f"{path.name}-{number}")
        number += 1
