"""The table of trigger rules against what Airflow did: every set of one to three upstream states, every rule."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest
from airflow_rules import judge

from orkestra_bridge.runtime.trigger_rules import FINISHED, RULES, SETUP_CONSTRAINT, decide, decide_in_order

MEASURED = json.loads(
    (Path(__file__).parents[2] / "data/runtime/trigger_rules.json").read_text(encoding="utf-8")
)
STATES = {"S": "success", "F": "failed", "K": "skipped", "U": "upstream_failed"}

# Airflow decides by the first upstream that tells against all_success; here the skip had come before the failure.
SKIP_SEEN_FIRST = {"KU", "KKU", "KUU", "SKU"}


@pytest.mark.parametrize("rule", sorted(MEASURED))
def test_a_rule_decides_as_airflow_did(rule: str) -> None:
    decided = {case: decide(rule, [STATES[letter] for letter in case]) for case in MEASURED[rule]}
    if rule == "all_success":
        assert {decided.pop(case) for case in SKIP_SEEN_FIRST} == {"upstream_failed"}
    expected = {case: MEASURED[rule][case] for case in decided}
    assert decided == expected


@pytest.mark.parametrize("rule", sorted(MEASURED))
@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_first_that_tells_decides(rule: str, size: int) -> None:
    """Against our reading of Airflow's scheduler, asked after each moment at which something ended."""
    for states, moments in product(product(FINISHED, repeat=size), product(range(size), repeat=size)):
        ended = list(zip(moments, states, strict=True))
        passes = ((now, judge(rule, [s for at, s in ended if at <= now], size)) for now in range(size))
        now, verdict = next((now, verdict) for now, verdict in passes if verdict != "wait")
        decision, at = decide_in_order(rule, [[one] for one in ended])
        assert {"run": "queued"}.get(decision, decision) == verdict, ended
        assert decision == "run" or at == now, ended


def test_what_was_seen_before_a_skip_came_over_it() -> None:
    was_failed = [(1.0, "upstream_failed"), (5.0, "skipped")]
    assert decide_in_order("all_success", [was_failed, [(3.0, "success")]]) == ("upstream_failed", 1.0)
    assert decide_in_order("all_skipped", [was_failed, [(7.0, "skipped")]]) == ("skipped", 1.0)
    assert decide_in_order("none_skipped", [was_failed, [(3.0, "success")]]) == ("run", 3.0)
    assert decide_in_order("none_skipped", [was_failed, [(6.0, "success")]]) == ("skipped", 5.0)


def test_the_measured_rules_are_all_there_are() -> None:
    assert set(MEASURED) == set(RULES) - {"all_done_setup_success"}


@pytest.mark.parametrize("rule", RULES)
def test_without_upstream_a_task_runs(rule: str) -> None:
    assert decide(rule, []) == "run"


@pytest.mark.parametrize(
    ("setups", "decision"),
    [
        ([], "run"),
        (["success", "failed"], "run"),
        (["skipped", "skipped"], "skipped"),
        (["failed", "skipped"], "upstream_failed"),
    ],
)
def test_a_teardown_looks_at_its_setups(setups: list[str], decision: str) -> None:
    assert decide("all_done_setup_success", [*setups, "failed"], setups=setups) == decision


def test_old_names_still_work() -> None:
    assert decide("dummy", ["failed"]) == "run"
    assert decide("none_failed_or_skipped", ["success", "skipped"]) == "run"


def test_a_setup_constrains_whatever_the_rule() -> None:
    assert decide(SETUP_CONSTRAINT, ["success", "failed"]) == "upstream_failed"
    assert decide(SETUP_CONSTRAINT, ["skipped"]) == "skipped"
    assert decide(SETUP_CONSTRAINT, []) == "run"


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="running"):
        decide("all_success", ["running"])
    with pytest.raises(ValueError, match="unknown trigger rule 'most'"):
        decide("most", ["success"])
