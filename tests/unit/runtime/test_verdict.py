"""Whether a task runs, by the ledger."""

from __future__ import annotations

from typing import Any

import pytest

from orkestra_bridge.runtime.errors import RuntimeSetupError
from orkestra_bridge.runtime.verdict import verdict_of


def task(task_id: str, *upstream: str, rule: str = "all_success", **more: Any) -> dict[str, Any]:
    return {"task_id": task_id, "upstream": list(upstream), "trigger_rule": rule, **more}


def workflow(*tasks: dict[str, Any]) -> dict[str, Any]:
    return {"tasks": list(tasks)}


def ended(**states: str) -> dict[str, Any]:
    return {task_id: {"state": state, "tries": 1} for task_id, state in states.items()}


LINE = workflow(task("a"), task("b", "a"), task("c", "b", rule="all_done"))


def test_a_task_runs_after_success_and_not_after_failure() -> None:
    assert verdict_of("a", LINE, {}).decision == "run"
    assert verdict_of("b", LINE, ended(a="success")).decision == "run"
    assert verdict_of("b", LINE, ended(a="failed")).decision == "upstream_failed"
    assert verdict_of("c", LINE, ended(a="failed", b="upstream_failed")).decision == "run"


def test_a_skip_by_any_task_comes_first() -> None:
    ledger = ended(a="success", b="success")
    ledger["a"]["skip"] = ["b", "c"]
    assert verdict_of("c", LINE, ledger).decision == "skipped"


def test_an_indirect_setup_constrains_a_task_that_would_run() -> None:
    graph = workflow(
        task("s", is_setup=True),
        task("w", "s"),
        task("x", "w", rule="all_done"),
        task("t", "s", "x", rule="all_done_setup_success", is_teardown=True),
    )
    ledger = ended(s="failed", w="upstream_failed", x="upstream_failed")
    assert verdict_of("x", graph, ledger).decision == "upstream_failed"
    assert verdict_of("t", graph, ledger).decision == "upstream_failed"
    assert verdict_of("x", graph, ended(s="success", w="failed")).decision == "run"
    assert verdict_of("t", graph, ended(s="success", w="failed", x="failed")).decision == "run"


def test_a_setup_that_was_torn_down_before_does_not_matter() -> None:
    graph = workflow(
        task("s", is_setup=True),
        task("t", "s", rule="all_done_setup_success", is_teardown=True),
        task("after", "t", rule="all_done"),
    )
    assert verdict_of("after", graph, ended(s="failed", t="upstream_failed")).decision == "run"


def test_what_cannot_be_is_named() -> None:
    with pytest.raises(RuntimeSetupError, match="no task 'z'"):
        verdict_of("z", LINE, {})
    with pytest.raises(RuntimeSetupError, match="lacks its upstream tasks a"):
        verdict_of("b", LINE, {})


@pytest.mark.parametrize("name", ["fail_fast", "fail_stop"])
def test_a_failure_anywhere_before_skips_all_but_teardowns(name: str) -> None:
    graph = workflow(
        task("a"),
        task("t", "a", rule="all_done_setup_success", is_teardown=True),
        task("b", "t"),
    )
    graph["attributes"] = [{"name": name, "value": True}]
    ledger = ended(a="failed", t="success")
    assert verdict_of("t", graph, ended(a="failed")).decision == "run"
    assert verdict_of("b", graph, ledger).decision == "skipped"
    graph["attributes"] = [{"name": name, "value": False}]
    assert verdict_of("b", graph, ledger).decision == "run"


@pytest.mark.parametrize("rule", ["one_success", "one_failed", "one_done"])
@pytest.mark.parametrize("outside", ["success", "skipped", "upstream_failed"])
def test_a_rule_that_fires_early_is_left_to_instances_that_have_not_run(rule: str, outside: str) -> None:
    group = workflow(task("t", "a", "g.x", rule=rule))
    before = {**ended(a=outside), "g.x": {"length": 2}}
    assert verdict_of("t", group, before).decision == "run"
    instance = {**ended(a=outside), "g.x": {"state": "skipped", "tries": 0, "map_index": 1}}
    match = "upstream_failed" if rule == "one_failed" else "success"
    assert (verdict_of("t", group, instance, map_index=1).decision == "run") == (outside == match)
