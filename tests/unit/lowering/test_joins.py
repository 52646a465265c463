"""Token joins, executed: every task starts when Airflow would start it, exactly once, and knows what it has to know."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from second_play import play_on_moto
from simulate import Played, expected_run, expected_states, play
from workflows import a_task, a_workflow, from_edges

from orkestra_bridge.asl.check import check
from orkestra_bridge.local.interpreter import StatesError, VirtualClock, execute
from orkestra_bridge.local.services.runner import ServiceTasks
from orkestra_bridge.lowering.join import TABLE
from orkestra_bridge.lowering.machine import lower, nest
from orkestra_bridge.lowering.task import FUNCTION
from orkestra_bridge.runtime.trigger_rules import EARLY_STATES, RULES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.ir.model import Task, Workflow

OUTCOMES = ("success", "failed", "skipped")
RULES_WITHOUT_SETUPS = sorted(set(RULES) - {"all_done_setup_success"})
NORMAL_RULES = sorted(set(RULES_WITHOUT_SETUPS) - {*EARLY_STATES, "always"})


@st.composite
def workflows(draw: st.DrawFn, rules: list[str], most: int = 9) -> Workflow:
    names = [f"t{i}" for i in range(draw(st.integers(2, most)))]
    pairs = list(itertools.combinations(names, 2))
    edges = draw(st.lists(st.sampled_from(pairs), unique=True))
    fields = {name: {"trigger_rule": draw(st.sampled_from(rules))} for name in names}
    return from_edges(names, edges, **fields)


def drawn(data: st.DataObject, workflow: Workflow) -> tuple[dict[str, str], dict[str, float]]:
    """Return outcomes and durations, no two sums of which are the same."""
    names = [task.task_id for task in workflow.tasks]
    outcomes = {name: data.draw(st.sampled_from(OUTCOMES)) for name in names}
    return outcomes, {name: data.draw(st.integers(1, 50)) + 2.0 ** -(i + 1) for i, name in enumerate(names)}


def start_of(task: Task, played: Played) -> float:
    """Return when Airflow would start the task, or decide that it does not run."""
    ends = sorted((played.ended[name], name) for name in task.upstream)
    if task.trigger_rule == "always" or not ends:
        return 0.0
    early = EARLY_STATES.get(task.trigger_rule, ()) if len(ends) > 1 else ()
    matching = [end for end, name in ends if played.states[name] in early]
    return matching[0] if matching else ends[-1][0]


def check_times(workflow: Workflow, played: Played) -> None:
    assert sorted(played.calls) == sorted(task.task_id for task in workflow.tasks), "each task exactly once"
    for task in workflow.tasks:
        assert played.started[task.task_id] == pytest.approx(start_of(task, played)), task.task_id


def check_run(workflow: Workflow, outcomes: dict[str, str], durations: dict[str, float]) -> None:
    played = play(workflow, outcomes, durations)
    check_times(workflow, played)
    expected = expected_states(workflow, outcomes, played.ended)
    assert (played.states, played.status) == (expected, expected_run(workflow, expected))


@given(st.data())
@settings(max_examples=100)
def test_every_task_starts_when_its_last_upstream_has_finished(data: st.DataObject) -> None:
    workflow = data.draw(workflows(NORMAL_RULES))
    check_run(workflow, *drawn(data, workflow))


@given(st.data())
@settings(max_examples=100)
def test_early_rules_start_at_the_first_upstream_that_matches(data: st.DataObject) -> None:
    workflow = data.draw(workflows(RULES_WITHOUT_SETUPS))
    check_run(workflow, *drawn(data, workflow))


@given(st.data())
@settings(max_examples=30)
def test_the_makespan_is_the_critical_path(data: st.DataObject) -> None:
    workflow = data.draw(workflows(["all_success"], most=14))
    _, durations = drawn(data, workflow)
    ends: dict[str, float] = {}
    for task in workflow.tasks:
        start = max((ends[name] for name in task.upstream), default=0.0)
        ends[task.task_id] = start + durations[task.task_id]
    assert max(play(workflow, durations=durations).ended.values()) == pytest.approx(max(ends.values()))


@given(workflows(RULES_WITHOUT_SETUPS))
@settings(max_examples=50)
def test_definitions_pass_our_own_validator(workflow: Workflow) -> None:
    definition = lower(workflow, "token").definition
    assert check(definition, placeholders=(FUNCTION, TABLE), expressions=True) == ()


@given(st.data())
@settings(max_examples=60)
def test_every_task_knows_all_that_is_above_it(data: st.DataObject) -> None:
    workflow = data.draw(workflows(["all_done"], most=12))
    _, durations = drawn(data, workflow)
    above: dict[str, set[str]] = {}
    for task in workflow.tasks:
        above[task.task_id] = set(task.upstream).union(*(above[name] for name in task.upstream))
    for task_id, ledger in ledgers(workflow, durations).items():
        assert set(ledger) >= above[task_id], task_id


def ledgers(workflow: Workflow, durations: Mapping[str, float]) -> dict[str, Any]:
    """Return what each task was told."""
    import asyncio

    clock = VirtualClock()
    told: dict[str, Any] = {}

    async def runner(call: Any) -> Any:
        payload = call.arguments["Payload"]
        told[payload["task_id"]] = payload["ledger"]
        await asyncio.sleep(durations.get(payload["task_id"], 0))
        return {"Payload": {"state": "success", "tries": 1, "xcom": {"return_value": payload["task_id"]}}}

    definition = {**lower(workflow, "token").definition, "TimeoutSeconds": 10**6}
    ended = clock.run(execute(definition, {}, tasks=ServiceTasks(runner), clock=clock))
    assert ended.status == "SUCCEEDED", ended.cause
    return told


def an_n(**fields: Any) -> Workflow:
    """Return the smallest graph that does not nest."""
    return from_edges("abcd", [("a", "c"), ("a", "d"), ("b", "d")], **fields)


@pytest.mark.parametrize("first", ["a", "b"])
def test_a_failed_task_reports_as_well(first: str) -> None:
    workflow = an_n(d={"trigger_rule": "all_done"})
    durations = {"a": 5.0, "b": 5.0, first: 1.0}
    for outcomes in ({"a": "failed"}, {"b": "failed"}, {"a": "failed", "b": "failed"}):
        played = play(workflow, outcomes, durations)
        assert played.started["d"] == pytest.approx(5)
        assert played.states["d"] == "success"
        assert {name: state for name, state in played.states.items() if state == "failed"} == outcomes


def test_a_killed_function_reports_as_well() -> None:
    """Whatever ends the attempt, the Catch leads to the report."""
    workflow = an_n(d={"trigger_rule": "all_done"})
    told: dict[str, Any] = {}

    async def runner(call: Any) -> Any:
        payload = call.arguments["Payload"]
        told[payload["task_id"]] = payload["ledger"]
        if payload["task_id"] in "ab":
            raise StatesError("Lambda.Unknown", "signal: killed")
        return {"Payload": {"state": "success", "tries": 1}}

    clock = VirtualClock()
    definition = lower(workflow, "token").definition
    clock.run(execute(definition, {}, tasks=ServiceTasks(runner), clock=clock))
    assert {name: told["d"][name]["state"] for name in "ab"} == {"a": "failed", "b": "failed"}


def test_a_join_costs_few_transitions() -> None:
    lowered = lower(an_n(), "token")
    with_barrier = lower(an_n(), "barrier")
    assert with_barrier.decomposition.waits
    # one state waits, one reports; then either one collects, or two complete and wake
    assert lowered.transitions - 4 <= with_barrier.transitions
    assert [finding.id for finding in lowered.findings if finding.id == "OB321"] == []


@pytest.mark.parametrize("late", ["waiter", "sender"])
def test_transitions_are_counted_for_the_dearer_order_of_events(late: str) -> None:
    lowered = lower(an_n(), "token")
    ((sender, waiter),) = lowered.decomposition.relaxed
    others = set("abcd") - {sender, waiter}
    slow = {sender} if late == "sender" else {name for name in others if name in "ab"}
    entered: list[str] = []

    async def runner(call: Any) -> Any:
        import asyncio

        payload = call.arguments["Payload"]
        await asyncio.sleep(9 if payload["task_id"] in slow else 1)
        return {"Payload": {"state": "success", "tries": 1}}

    clock = VirtualClock()
    clock.run(
        execute(
            lowered.definition,
            {},
            tasks=ServiceTasks(runner),
            clock=clock,
            on_event=lambda event: entered.append(event.type) if event.type.endswith("Entered") else None,
        )
    )
    assert len(entered) == lowered.transitions - (late == "waiter")


def test_a_branch_that_skips_an_early_task_starts_it() -> None:
    """Airflow skips the task when the branch has decided, though its other upstream task is still running."""
    workflow = a_workflow(
        a_task("choose", operator="BranchPythonOperator"),
        a_task("slow"),
        a_task("target", "choose", "slow", trigger_rule="one_failed"),
        a_task("after", "target", trigger_rule="all_done"),
    )
    played = play(workflow, durations={"choose": 1.0, "slow": 9.0}, skips={"choose": ["target"]})
    assert played.states["target"] == "skipped"
    assert played.started["after"] == pytest.approx(1)


SHORT_CIRCUIT: dict[str, Any] = {
    "operator": "ShortCircuitOperator",
    "bases": (
        "airflow.providers.standard.operators.python.ShortCircuitOperator",
        "airflow.providers.standard.operators.python.PythonOperator",
        "airflow.sdk.bases.operator.BaseOperator",
    ),
}


def far_skip(*after: Task) -> Workflow:
    return a_workflow(
        a_task("stop", **SHORT_CIRCUIT),
        a_task("slow"),
        a_task("middle", "stop", "slow"),
        a_task("other"),
        a_task("target", "middle", "other", trigger_rule="one_success"),
        *after,
    )


def test_a_short_circuit_further_up_skips_an_early_task_at_once() -> None:
    durations = {"stop": 1.0, "slow": 9.0, "other": 4.0}
    played = play(far_skip(), durations=durations, skips={"stop": ["middle", "target"]})
    assert played.states["target"] == "skipped"
    assert played.started["target"] == pytest.approx(1)
    played = play(far_skip(), durations=durations)
    assert played.states["target"] == "success"
    assert played.started["target"] == pytest.approx(4)


@pytest.mark.parametrize(
    ("workflow", "why"),
    [
        (far_skip(a_task("after", "target")), "may skip tasks below"),
        (
            replace(
                a_workflow(
                    a_task("choose", operator="BranchPythonOperator"),
                    a_task("x"),
                    a_task("target", "choose", "x", trigger_rule="one_success"),
                ),
                airflow_version="2.11.2",
            ),
            "Airflow 2 lets a task above skip it",
        ),
    ],
)
def test_where_a_task_cannot_start_early_it_is_said(workflow: Workflow, why: str) -> None:
    lowered = lower(workflow, "token")
    (finding,) = [one for one in lowered.findings if one.id == "OB322"]
    assert finding.task_id == "target"
    assert why in finding.message


def test_early_rules_are_no_finding_any_more() -> None:
    workflow = from_edges("abc", [("a", "c"), ("b", "c")], c={"trigger_rule": "one_success"})
    assert not [finding for finding in lower(workflow, "token").findings if finding.id == "OB322"]
    assert [finding.id for finding in lower(workflow, "barrier").findings if finding.id == "OB322"] == [
        "OB322"
    ]


def test_always_waits_for_nothing_with_either_kind_of_join() -> None:
    workflow = from_edges("ab", [("a", "b")], b={"trigger_rule": "always"})
    for joins in ("token", "barrier"):
        starts, decomposition = nest(workflow, "token" if joins == "token" else "barrier")
        assert (starts.order.covers, decomposition.relaxed) == ((), ())
    assert play(workflow, durations={"a": 7.0}).started["b"] == 0


def test_items_expire_a_day_after_the_longest_run() -> None:
    from orkestra_bridge.lowering.join import DAY, LONGEST_RUN

    def expiry(**fields: Any) -> str:
        text = str(lower(replace(an_n(), **fields), "token").definition)
        assert text.count(":expires") >= 3
        return text

    assert f"+ {LONGEST_RUN + DAY})" in expiry()
    assert f"+ {3600 + DAY})" in expiry(dagrun_timeout=3600.0)


@pytest.mark.parametrize("seed", range(12))
def test_random_joins_end_the_same_on_motos_interpreter_and_table(seed: int) -> None:
    chance = random.Random(seed)
    names = [f"t{i}" for i in range(chance.randint(5, 9))]
    edges = [(u, v) for i, u in enumerate(names) for v in names[i + 1 :] if chance.random() < 0.35]
    fields = {
        name: {"trigger_rule": chance.choice(["all_done", "one_success", "none_failed"])} for name in names
    }
    workflow = from_edges(names, edges, **fields)
    outcomes = {name: chance.choice(OUTCOMES) for name in names}
    theirs = play_on_moto(workflow, outcomes)
    expected = expected_states(workflow, outcomes)
    assert theirs.states == expected
    assert theirs.status == expected_run(workflow, expected)
