"""Random machines end the same on our interpreter and on moto's: our reading of ASL is not our own invention."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from second_play import play_on_moto
from simulate import expected_run, expected_states, play
from workflows import from_edges

from orkestra_bridge.lowering.cutting import Weight
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.lowering.payload import ROOM

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Workflow

RULES = (
    "all_success",
    "all_done",
    "none_failed",
    "none_skipped",
    "all_failed",
    "none_failed_min_one_success",
)


def random_workflow(seed: int) -> tuple[Workflow, dict[str, str]]:
    """Return a workflow and how its tasks end, such that the order in which they end does not matter."""
    chance = random.Random(seed)
    while True:
        workflow, outcomes = drawn(chance)
        states = expected_states(workflow, outcomes)
        seen = [{states[name] for name in task.upstream} for task in workflow.tasks]
        if not any("skipped" in each and each & {"failed", "upstream_failed"} for each in seen):
            return workflow, outcomes


def drawn(chance: random.Random) -> tuple[Workflow, dict[str, str]]:
    names = [f"t{i}" for i in range(chance.randint(2, 7))]
    edges = [(u, v) for i, u in enumerate(names) for v in names[i + 1 :] if chance.random() < 0.4]
    fields = {
        name: {
            "trigger_rule": chance.choice(RULES),
            "operator": chance.choice(["PythonOperator", "PythonOperator", "EmptyOperator"]),
        }
        for name in names
    }
    outcomes = {
        name: "success"
        if fields[name]["operator"] == "EmptyOperator"
        else chance.choice(["success", "failed", "skipped"])
        for name in names
    }
    return from_edges(names, edges, **fields), outcomes


@pytest.mark.parametrize("seed", range(25))
def test_a_random_machine_ends_the_same(seed: int) -> None:
    workflow, outcomes = random_workflow(seed)
    ours, theirs = play(workflow, outcomes), play_on_moto(workflow, outcomes)
    assert theirs.status == ours.status
    assert {task_id: ours.states[task_id] for task_id in theirs.states} == theirs.states
    if theirs.status == "SUCCEEDED":
        assert theirs.states == ours.states


@pytest.mark.parametrize("seed", range(8))
def test_a_random_dag_in_several_machines_ends_the_same(seed: int) -> None:
    chance = random.Random(seed)
    names = [f"t{i}" for i in range(chance.randint(8, 14))]
    edges = [(u, v) for i, u in enumerate(names) for v in names[i + 1 : i + 5] if chance.random() < 0.4]
    fields = {name: {"trigger_rule": chance.choice(("all_done", "none_failed"))} for name in names}
    workflow = from_edges(names, edges, **fields)
    outcomes = {name: chance.choice(("success", "success", "failed", "skipped")) for name in names}
    limit = Weight(chance.randint(6_000, 9_000), 10**6, ROOM)
    assert lower(workflow, "token", limit).parts
    ours, theirs = play(workflow, outcomes, limit=limit), play_on_moto(workflow, outcomes, limit=limit)
    expected = expected_states(workflow, outcomes)
    assert ours.states == theirs.states == expected
    assert ours.status == theirs.status == expected_run(workflow, expected)
    assert sorted(theirs.calls) == sorted(names)


def test_parts_answer_for_tasks_of_each_other_on_both() -> None:
    names = [f"{side}{i}" for i in range(8) for side in "ab"]
    edges = [(f"{side}{i}", f"{side}{i + 1}") for side in "ab" for i in range(7)]
    workflow = from_edges(names, [*edges, ("a2", "b5"), ("b3", "a6")], b5={"trigger_rule": "all_done"})
    limit = Weight(9_000, 400, ROOM)
    lowered = lower(workflow, "token", limit)
    assert len(lowered.parts) > 1
    assert len(lowered.decomposition.relaxed) == 2
    outcomes = {"a2": "failed"}
    ours, theirs = play(workflow, outcomes, limit=limit), play_on_moto(workflow, outcomes, limit=limit)
    assert ours.states == theirs.states == expected_states(workflow, outcomes)
    assert ours.status == theirs.status == "FAILED"
