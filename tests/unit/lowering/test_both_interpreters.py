"""Random machines end the same on our interpreter and on moto's: our reading of ASL is not our own invention."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from moto_engine import run_with_moto
from simulate import expected_states, play
from workflows import from_edges

from orkestra_bridge.local.interpreter import StatesError
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.runtime.trigger_rules import decide

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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


def handler(
    workflow: Workflow, outcomes: Mapping[str, str], states: dict[str, str]
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def invoke(payload: dict[str, Any]) -> dict[str, Any]:
        task = workflow.task(payload["task_id"])
        decision = decide(task.trigger_rule, [payload["ledger"][parent]["state"] for parent in task.upstream])
        state = outcomes[task.task_id] if decision == "run" else decision
        states[task.task_id] = state
        if state == "failed":
            raise StatesError("ValueError", '{"errorMessage": "meant to fail"}')
        return {"state": state, "tries": 1, "at": 0}

    return invoke


@pytest.mark.parametrize("seed", range(25))
def test_a_random_machine_ends_the_same(seed: int) -> None:
    workflow, outcomes = random_workflow(seed)
    ours = play(workflow, outcomes)
    states: dict[str, str] = {}
    theirs = run_with_moto(lower(workflow).definition, {}, handler(workflow, outcomes, states))
    assert theirs.status == ours.status
    assert {task_id: ours.states[task_id] for task_id in states} == states
    if theirs.status == "SUCCEEDED":
        assert {task_id: entry["state"] for task_id, entry in theirs.output.items()} == ours.states
