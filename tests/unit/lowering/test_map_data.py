"""What mapped tasks of unknown length may leave in the ledger: with all other tasks it fits into the state data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from workflows import a_task, a_workflow

from orkestra_bridge.ir.model import Expansion
from orkestra_bridge.ir.serialize import to_document
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.lowering.payload import ENTRY, STATE_DATA
from orkestra_bridge.runtime.large import share_of_instance
from orkestra_bridge.runtime.mapping import most_instances, with_share

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Task, Workflow
    from orkestra_bridge.lowering.machine import Lowered


def mapped(task_id: str, *upstream: str) -> Task:
    return a_task(task_id, *upstream, mapped=True, expansion=Expansion(over=("t0",)))


def shape(parents: list[int], known: int) -> Workflow:
    """Return a DAG of mapped tasks, each below one of the earlier ones or (-1) below none, and other tasks above them."""
    tasks = [a_task(f"t{number}") for number in range(known)]
    for number, parent in enumerate(parents):
        tasks.append(mapped(f"m{number}", *(["t0"] if parent < 0 else ["t0", f"m{parent}"])))
    return a_workflow(*tasks)


def asked(lowered: Lowered, name: str) -> dict[str, Any]:
    """Return what the state that expands a task tells the function."""
    waiting: list[Any] = [lowered.definition]
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, dict):
            payload = thing.get("Payload")
            if isinstance(payload, dict) and payload.get("task_id") == name and "expand" in payload:
                told: dict[str, Any] = payload["expand"]
                return told
            waiting.extend(thing.values())
        elif isinstance(thing, list):
            waiting.extend(thing)
    raise AssertionError(f"{name} is not expanded")


def ids(workflow: Workflow) -> list[str]:
    found = [finding.id for finding in lower(workflow).findings]
    return [each for each in found if each in ("OB341", "OB344", "OB352")]


def test_one_alone_has_room_for_all_that_airflow_makes() -> None:
    assert asked(lower(shape([-1], 3)), "m0")["limit"] == 1024


def test_those_side_by_side_share_the_room() -> None:
    lowered = lower(shape([-1, -1], 1))
    assert [asked(lowered, f"m{number}")["limit"] for number in range(2)] == [913] * 2
    (first, *_) = [finding for finding in lowered.findings if finding.id == "OB340"]
    assert "up to 913 instances fit into an execution's history and state data" in first.message


def test_those_after_each_other_take_what_the_ones_before_leave() -> None:
    lowered = lower(shape([-1, 0], 1))
    first, second = asked(lowered, "m0"), asked(lowered, "m1")
    assert (first["limit"], first["ledger"]["after"], first["ledger"]["sharers"]) == (1024, [], 2)
    assert (second["limit"], second["ledger"]["after"], second["ledger"]["sharers"]) == (1024, ["m0"], 1)
    left = {"m0": {"execution": "e", "instances": [{"xcom": "x" * 180_000}]}}
    assert most_instances(second, {"m0": {"length": 5}}) == 1024
    assert most_instances(second, left) == (second["ledger"]["room"] - len(text(left["m0"]))) // 130


def text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


@settings(max_examples=60)
@given(data=st.data())
def test_whatever_a_run_leaves_fits_into_the_state_data(data: st.DataObject) -> None:
    """Each task leaves all that it may, each mapped task has as many instances as it may, or fewer."""
    count = data.draw(st.integers(1, 6), "mapped tasks")
    parents = [data.draw(st.integers(-1, number - 1), f"parent of m{number}") for number in range(count)]
    workflow = shape(parents, data.draw(st.sampled_from([1, 10, 60, 200]), "other tasks"))
    lowered = lower(workflow)
    document = to_document(lowered.workflow)
    known = len(workflow.tasks) - count
    total = known * (ENTRY + 4 + lowered.workflow.inline_limit)
    entries: dict[str, Any] = {}
    brief = {finding.task_id for finding in lowered.findings if finding.id == "OB344"}
    for number in range(count):
        name, seen, above = f"m{number}", {}, parents[number]
        while above >= 0:
            seen[f"m{above}"] = entries[f"m{above}"]
            above = parents[above]
        limit = most_instances(asked(lowered, name), seen)
        if not limit:
            entries[name] = {"state": "failed"}
            continue
        instances = data.draw(st.sampled_from([limit, limit // 2, min(limit, 7)]), f"instances of {name}")
        entry = with_share({"length": max(1, instances)}, asked(lowered, name), seen)
        told = {"task_id": name, "map_index": 0, "ledger": {**seen, name: entry}}
        inline = min(lowered.workflow.inline_limit, share_of_instance(document, told))
        place, reference = (0 if name in brief else 36 + len(name)), 45
        one = "x" * (44 + place + max(reference, inline if data.draw(st.booleans()) else 0))
        entries[name] = {"execution": "e", "instances": [one] * entry["length"]}
    assert total + sum(len(text(entry)) for entry in entries.values()) < STATE_DATA


@pytest.mark.parametrize(
    ("length", "said"), [(700, []), (1_500, ["OB344"]), (2_300, ["OB344"]), (2_500, ["OB341"])]
)
def test_a_known_length_may_be_as_large_as_a_distributed_map(length: int, said: list[str]) -> None:
    workflow = a_workflow(a_task("m", mapped=True, expansion=Expansion(length=length)))
    assert sorted(set(ids(workflow))) == said
