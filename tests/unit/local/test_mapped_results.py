"""What a local run shows of mapped tasks: a result and a line for each instance."""

from __future__ import annotations

from typing import Any

import pytest

from orkestra_bridge.local.board import Board
from orkestra_bridge.local.functions.tasks import INVOKE
from orkestra_bridge.local.interpreter import Event
from orkestra_bridge.local.ledger import Ledger, entries_of


def event(kind: str, name: str, scope: str = "", **details: Any) -> Event:
    return Event(
        id=1, timestamp="2030-01-01T00:00:00.000Z", type=kind, name=name, scope=scope, details=details
    )


def entry(index: int, state: str = "success") -> dict[str, Any]:
    return {"state": state, "tries": 1, "map_index": index}


def test_instances_are_heard_while_the_map_is_running() -> None:
    ledger = Ledger()
    ledger.hear(event("TaskStateExited", "m: expand", output={"m": {"length": 12}}))
    ledger.hear(event("TaskStateExited", "m", "m: map[10]", output={"m": entry(10, "failed")}))
    ledger.hear(event("TaskStateExited", "m", "m: map[2]", output={"m": entry(2)}))
    assert {name: result.state for name, result in ledger.results().items()} == {
        "m[2]": "success",
        "m[10]": "failed",
    }
    assert list(ledger.results()) == ["m[2]", "m[10]"]


def test_gathered_instances_are_heard_once() -> None:
    ledger = Ledger()
    ledger.take({"m": entry(0)})
    ledger.take({"m": {"instances": [entry(0), entry(1)]}, "n": {"state": "skipped", "tries": 0}})
    assert list(ledger.results()) == ["m[0]", "m[1]", "n"]


@pytest.mark.parametrize("value", [{"length": 2}, {"instances": []}, {"instances": "odd"}, None, [], "x"])
def test_what_holds_no_entry(value: Any) -> None:
    assert entries_of(value) == []


def test_a_line_per_instance() -> None:
    board = Board(clock=lambda: 5.0)
    for index in (0, 1):
        arguments = {"Payload": {"task_id": "m", "map_index": index}}
        board.hear(
            event("TaskScheduled", "m", f"m: map[{index}]", arguments=arguments, resource=INVOKE, attempt=0)
        )
    assert sorted(line.task_id for line in board.working.values()) == ["m[0]", "m[1]"]
    line = board.hear(event("TaskStateExited", "m", "m: map[1]", output={"m": entry(1, "skipped")}))
    assert line is not None
    assert (line.task_id, line.state) == ("m[1]", "skipped")
    assert [line.task_id for line in board.working.values()] == ["m[0]"]


def test_no_line_for_finding_out_the_length() -> None:
    board = Board()
    arguments = {"Payload": {"task_id": "m", "map_index": -1}}
    board.hear(event("TaskScheduled", "m: expand", arguments=arguments, resource=INVOKE, attempt=0))
    assert board.hear(event("TaskStateExited", "m: expand", output={"m": {"length": 2}})) is None
    assert board.working == {}
