from __future__ import annotations

import itertools

import pytest
from jsonata import Jsonata

from orkestra_bridge.lowering.guard import Guard, state_expression
from orkestra_bridge.runtime.trigger_rules import RULES, TEARDOWN_RULE, constrained_by_setups, decide

STATES = ("success", "failed", "skipped", "upstream_failed")


def evaluated(compiled: Jsonata, names: tuple[str, ...], states: tuple[str, ...]) -> str:
    ledger = {name: {"state": state} for name, state in zip(names, states, strict=True)}
    compiled.assign("ledger", ledger)
    return str(compiled.evaluate(None))


def state_after(verdict: str) -> str:
    return "success" if verdict == "run" else verdict


@pytest.mark.parametrize("rule", sorted(RULES))
def test_the_expression_says_what_the_table_says(rule: str) -> None:
    for count in (1, 2, 3):
        upstream = tuple(f"u{i}" for i in range(count))
        compiled = Jsonata(state_expression(Guard(task_id="me", rule=rule, upstream=upstream), "$ledger"))
        for states in itertools.product(STATES, repeat=count):
            expected = state_after(decide(rule, states))
            assert evaluated(compiled, upstream, states) == expected, (rule, states)


def test_a_teardown_looks_at_its_setups_alone() -> None:
    names = ("s1", "s2", "work")
    guard = Guard(task_id="me", rule=TEARDOWN_RULE, upstream=names, setups=names[:2])
    compiled = Jsonata(state_expression(guard, "$ledger"))
    for states in itertools.product(STATES, repeat=3):
        expected = state_after(decide(TEARDOWN_RULE, states, setups=states[:2]))
        assert evaluated(compiled, names, states) == expected, states


@pytest.mark.parametrize("rule", ["all_done", "all_success", "none_skipped", "always"])
def test_setups_further_up_come_before_the_rule(rule: str) -> None:
    names = ("s1", "s2", "up")
    guard = Guard(task_id="me", rule=rule, upstream=("up",), needed=("s1", "s2"))
    compiled = Jsonata(state_expression(guard, "$ledger"))
    for states in itertools.product(STATES, repeat=3):
        constraint = "run" if rule == "always" else constrained_by_setups(states[:2])
        expected = state_after(decide(rule, states[2:]) if constraint == "run" else constraint)
        assert evaluated(compiled, names, states) == expected, states


def test_without_upstream_the_task_runs() -> None:
    assert (
        Jsonata(state_expression(Guard(task_id="me", rule="all_success"), "$ledger")).evaluate(None)
        == "success"
    )


@pytest.mark.parametrize(("skip", "state"), [(["me"], "skipped"), (["other"], "success"), (None, "success")])
def test_a_branch_that_skips_the_task_wins(skip: list[str] | None, state: str) -> None:
    guard = Guard(task_id="me", rule="all_success", upstream=("b",), skippers=("b",))
    compiled = Jsonata(state_expression(guard, "$ledger"))
    entry = {"state": "success"} if skip is None else {"state": "success", "skip": skip}
    compiled.assign("ledger", {"b": entry})
    assert compiled.evaluate(None) == state


@pytest.mark.parametrize(("first", "state"), [("failed", "skipped"), ("success", "success")])
def test_a_dag_that_stops_skips_after_any_failure(first: str, state: str) -> None:
    guard = Guard(task_id="me", rule="all_success", upstream=("b",), stops=True)
    compiled = Jsonata(state_expression(guard, "$ledger"))
    assert evaluated(compiled, ("a", "b"), (first, "success")) == state
