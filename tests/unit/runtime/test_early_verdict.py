"""What a task does while some of its upstream tasks are not finished: what Airflow's scheduler decides at that moment."""

from __future__ import annotations

import itertools

import pytest
from airflow_rules import FINISHED, judge

from orkestra_bridge.runtime.errors import RuntimeSetupError
from orkestra_bridge.runtime.trigger_rules import EARLY_STATES
from orkestra_bridge.runtime.verdict import verdict_of

UNFINISHED = None


@pytest.mark.parametrize("rule", sorted(EARLY_STATES))
@pytest.mark.parametrize("count", [2, 3, 4])
def test_rules_that_fire_early(rule: str, count: int) -> None:
    upstream = [f"u{i}" for i in range(count)]
    tasks = [{"task_id": name, "upstream": [], "trigger_rule": "all_success"} for name in upstream]
    me = {"task_id": "me", "upstream": upstream, "trigger_rule": rule}
    workflow = {"tasks": [*tasks, me]}
    for states in itertools.product((UNFINISHED, *FINISHED), repeat=count):
        ledger = {name: {"state": state} for name, state in zip(upstream, states, strict=True) if state}
        expected = judge(rule, [entry["state"] for entry in ledger.values()], count)
        if expected == "wait":
            with pytest.raises(RuntimeSetupError, match="lacks"):
                verdict_of("me", workflow, ledger)
        else:
            verdict = verdict_of("me", workflow, ledger).decision
            assert {"run": "queued"}.get(verdict, verdict) == expected, states


def test_a_skip_counts_while_others_are_not_finished() -> None:
    tasks = [
        {"task_id": "choose", "upstream": [], "trigger_rule": "all_success"},
        {"task_id": "slow", "upstream": [], "trigger_rule": "all_success"},
        {"task_id": "me", "upstream": ["choose", "slow"], "trigger_rule": "one_failed"},
    ]
    ledger = {"choose": {"state": "success", "skip": ["me"]}}
    assert verdict_of("me", {"tasks": tasks}, ledger).decision == "skipped"


def test_always_needs_nobody() -> None:
    tasks = [
        {"task_id": "a", "upstream": [], "trigger_rule": "all_success"},
        {"task_id": "me", "upstream": ["a"], "trigger_rule": "always"},
    ]
    assert verdict_of("me", {"tasks": tasks}, {}).decision == "run"
