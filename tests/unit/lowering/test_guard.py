from __future__ import annotations

import itertools

import pytest
from jsonata import Jsonata

from orkestra_bridge.lowering.guard import state_expression
from orkestra_bridge.runtime.trigger_rules import RULES, decide

STATES = ("success", "failed", "skipped", "upstream_failed")


@pytest.mark.parametrize("rule", sorted(RULES))
def test_the_expression_says_what_the_table_says(rule: str) -> None:
    for count in (1, 2, 3):
        upstream = tuple(f"u{i}" for i in range(count))
        compiled = Jsonata(state_expression(rule, upstream, (), "me", "$ledger"))
        for states in itertools.product(STATES, repeat=count):
            compiled.assign(
                "ledger", {name: {"state": state} for name, state in zip(upstream, states, strict=True)}
            )
            verdict = decide(rule, states)
            assert compiled.evaluate(None) == ("success" if verdict == "run" else verdict), (rule, states)


def test_without_upstream_the_task_runs() -> None:
    assert Jsonata(state_expression("all_success", (), (), "me", "$ledger")).evaluate(None) == "success"


@pytest.mark.parametrize(("skip", "state"), [(["me"], "skipped"), (["other"], "success"), (None, "success")])
def test_a_branch_that_skips_the_task_wins(skip: list[str] | None, state: str) -> None:
    compiled = Jsonata(state_expression("all_success", ("b",), ("b",), "me", "$ledger"))
    entry = {"state": "success"} if skip is None else {"state": "success", "skip": skip}
    compiled.assign("ledger", {"b": entry})
    assert compiled.evaluate(None) == state
