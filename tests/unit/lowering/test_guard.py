"""The JSONata of tasks without a handler against the handler's own verdict, in every order in which others can end."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonata import Jsonata

from orkestra_bridge.lowering.guard import Guard, entry_expression
from orkestra_bridge.runtime.trigger_rules import FINISHED, RULES, TEARDOWN_RULE
from orkestra_bridge.runtime.verdict import verdict_of

RAN = {"state": "success", "tries": 1}


def compiled(guard: Guard) -> Jsonata:
    return Jsonata(entry_expression(guard, "$ledger"))


def entry_of(expression: Jsonata, ledger: dict[str, Any]) -> dict[str, Any]:
    """Return the entry, without a moment for a task that runs: that is the clock's."""
    expression.assign("ledger", ledger)
    entry: dict[str, Any] = expression.evaluate(None)
    if entry["state"] == "success":
        del entry["at"]
    else:
        entry["at"] = round(entry["at"], 2)
    return entry


def handlers_entry(guard: Guard, ledger: dict[str, Any]) -> dict[str, Any]:
    names = dict.fromkeys((*guard.upstream, *guard.needed, *guard.skippers))
    above = {"t": guard.needed} if guard.needed else {}
    tasks: list[dict[str, Any]] = [
        {
            "task_id": name,
            "upstream": list(above.get("t", ())) if name in guard.upstream else [],
            "trigger_rule": "all_done",
            "is_setup": name in (*guard.setups, *guard.needed),
        }
        for name in names
    ]
    me: dict[str, Any] = {"task_id": guard.task_id, "upstream": list(guard.upstream)}
    me |= {"trigger_rule": guard.rule, "is_teardown": guard.rule == TEARDOWN_RULE}
    attributes = [{"name": "fail_fast", "value": guard.stops}]
    workflow = {"tasks": [*tasks, me], "attributes": attributes}
    verdict = verdict_of(guard.task_id, workflow, ledger)
    entry: dict[str, Any] = dict(RAN) if verdict.decision == "run" else verdict.entry()
    if "was" in entry:
        entry["was"] = {**entry["was"], "tries": 0}
    return entry


def entries(states: tuple[str, ...], moments: tuple[int, ...]) -> list[dict[str, Any]]:
    return [{"state": state, "at": moment} for state, moment in zip(states, moments, strict=True)]


def check_all(guard: Guard, names: tuple[str, ...]) -> None:
    """Compare for every mix of states; every order of up to three tasks, ties included."""
    expression = compiled(guard)
    for states in itertools.product(FINISHED, repeat=len(names)):
        for moments in itertools.product(range(1, len(names) + 1), repeat=len(names)):
            ledger = dict(zip(names, entries(states, moments), strict=True))
            assert entry_of(expression, ledger) == handlers_entry(guard, ledger), (states, moments)


@pytest.mark.parametrize("rule", sorted(RULES))
@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_expression_says_what_the_handler_says(rule: str, count: int) -> None:
    upstream = tuple(f"u{i}" for i in range(count))
    check_all(Guard(task_id="me", rule=rule, upstream=upstream), upstream)


def test_a_teardown_looks_at_its_setups_alone() -> None:
    names = ("s1", "s2", "work")
    check_all(Guard(task_id="me", rule=TEARDOWN_RULE, upstream=names, setups=names[:2]), names)


@pytest.mark.parametrize("rule", ["all_done", "all_success", "none_skipped", "always"])
def test_setups_further_up_count_whatever_the_rule_is(rule: str) -> None:
    names = ("s1", "s2", "up")
    check_all(Guard(task_id="me", rule=rule, upstream=("up",), needed=("s1", "s2")), names)


def test_without_upstream_the_task_runs() -> None:
    assert entry_of(compiled(Guard(task_id="me", rule="all_success")), {}) == RAN


@pytest.mark.parametrize(("skip", "state"), [(["me"], "skipped"), (["other"], "success"), (None, "success")])
def test_a_branch_that_skips_the_task_wins(skip: list[str] | None, state: str) -> None:
    guard = Guard(task_id="me", rule="all_success", upstream=("b",), skippers=("b",))
    entry = {"state": "success", "at": 1} if skip is None else {"state": "success", "at": 1, "skip": skip}
    assert entry_of(compiled(guard), {"b": entry})["state"] == state


MOMENTS = st.integers(1, 4)


@st.composite
def ended(draw: st.DrawFn) -> dict[str, Any]:
    entry: dict[str, Any] = {"state": draw(st.sampled_from(FINISHED)), "at": draw(MOMENTS)}
    if entry["state"] == "success" and draw(st.booleans()):
        entry["skip"] = ["me"]
    if entry["state"] == "skipped" and draw(st.booleans()):
        entry["was"] = {"state": "upstream_failed", "at": entry["at"] - 0.5}
    return entry


@given(st.lists(ended(), min_size=2, max_size=4), st.booleans())
@settings(max_examples=300)
def test_skips_come_when_they_come(found: list[dict[str, Any]], stops: bool) -> None:
    names = tuple(f"u{i}" for i in range(len(found)))
    guard = Guard(
        task_id="me",
        rule="all_success",
        upstream=names[1:],
        skippers=names,
        skippable=frozenset(names),
        stops=stops,
    )
    ledger = dict(zip(names, found, strict=True))
    assert entry_of(compiled(guard), ledger) == handlers_entry(guard, ledger)


@pytest.mark.parametrize(("first", "state"), [("failed", "skipped"), ("success", "success")])
def test_a_dag_that_stops_skips_after_any_failure(first: str, state: str) -> None:
    guard = Guard(task_id="me", rule="all_success", upstream=("b",), stops=True)
    ledger = dict(zip("ab", entries((first, "success"), (1, 2)), strict=True))
    assert entry_of(compiled(guard), ledger)["state"] == state


def test_all_instances_of_a_mapped_task_count() -> None:
    guard = Guard(task_id="me", rule="all_success", upstream=("m",), mapped=frozenset("m"))
    ledger = {"m": {"instances": entries(("success", "skipped", "failed"), (1, 2, 3))}}
    assert entry_of(compiled(guard), ledger) == {"state": "skipped", "tries": 0, "at": 2.01}
    ledger = {"m": {"instances": entries(("success", "success"), (1, 2))}}
    assert entry_of(compiled(guard), ledger) == RAN
