"""The machines themselves, executed: same states as Airflow's rules give, and no waiting that the DAG does not have."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulate import expected_run, expected_states, play
from workflows import a_task, a_workflow, from_edges

from orkestra_bridge.asl.check import check
from orkestra_bridge.ir.model import Retry, Workflow
from orkestra_bridge.lowering.join import TABLE
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.lowering.task import FUNCTION
from orkestra_bridge.runtime.trigger_rules import RULES

PLAIN_RULES = sorted(set(RULES) - {"all_done_setup_success"})
OUTCOMES = ("success", "failed", "skipped")


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    count = draw(st.integers(1, 8))
    names = [f"t{i}" for i in range(count)]
    pairs = list(itertools.combinations(names, 2))
    edges = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    fields = {
        name: {
            "trigger_rule": draw(st.sampled_from(PLAIN_RULES)),
            "operator": draw(st.sampled_from(["PythonOperator", "PythonOperator", "EmptyOperator"])),
        }
        for name in names
    }
    return from_edges(names, edges, **fields)


@given(workflows(), st.data())
@settings(max_examples=150)
def test_states_and_run_state_follow_the_trigger_rules(workflow: Workflow, data: st.DataObject) -> None:
    outcomes = {
        task.task_id: data.draw(st.sampled_from(OUTCOMES)) if task.operator == "PythonOperator" else "success"
        for task in workflow.tasks
    }
    expected = expected_states(workflow, outcomes)
    played = play(workflow, outcomes)
    assert played.states == expected
    assert played.status == expected_run(workflow, expected)


@given(st.data())
@settings(max_examples=60)
def test_with_barriers_only_named_tasks_start_later_than_in_airflow(data: st.DataObject) -> None:
    names = [f"t{i}" for i in range(data.draw(st.integers(2, 9)))]
    pairs = list(itertools.combinations(names, 2))
    edges = data.draw(st.lists(st.sampled_from(pairs), unique=True))
    workflow = from_edges(names, edges)
    durations = {name: float(data.draw(st.integers(1, 50))) for name in names}
    waits = {wait.task_id for wait in lower(workflow, "barrier").decomposition.waits}
    played = play(workflow, durations=durations, joins="barrier")
    for task in workflow.tasks:
        if task.task_id not in waits:
            last = max((played.ended[parent] for parent in task.upstream), default=0.0)
            assert played.started[task.task_id] == pytest.approx(last) or _behind_a_wait(
                workflow, task.task_id, waits
            )


def _behind_a_wait(workflow: Workflow, task_id: str, waits: set[str]) -> bool:
    return bool(waits) and any(parent in waits for parent in workflow.task(task_id).upstream)


@given(workflows())
@settings(max_examples=50)
def test_definitions_pass_our_own_validator(workflow: Workflow) -> None:
    definition = lower(workflow).definition
    assert check(definition, placeholders=(FUNCTION, TABLE), expressions=True) == ()


def test_a_failure_costs_no_extra_transition_inside_a_chain() -> None:
    lowered = lower(a_workflow(a_task("a"), a_task("b", "a"), a_task("c", "b")))
    assert lowered.states == 6
    assert lowered.transitions == 5


def test_branches_return_only_what_they_added() -> None:
    workflow = a_workflow(
        a_task("a"), a_task("b", "a"), a_task("c", "b"), a_task("d", "a"), a_task("e", "c", "d")
    )
    definition = lower(workflow).definition
    (parallel,) = [state for state in definition["States"].values() if state["Type"] == "Parallel"]
    long, short = parallel["Branches"]
    assert long["States"]["c"]["Output"] == "{% {'b': $states.input.b, 'c': $states.result.Payload} %}"
    assert short["States"]["d"]["Output"] == "{% {'d': $states.result.Payload} %}"


def test_retries_become_retriers_and_fail_exceptions_are_never_retried() -> None:
    workflow = a_workflow(a_task("a", retry=Retry(attempts=2, delay=90.5)))
    retry = lower(workflow).definition["States"]["a"]["Retry"]
    assert retry[-2] == {"ErrorEquals": ["AirflowFailException"], "MaxAttempts": 0}
    assert retry[-1] == {
        "ErrorEquals": ["States.ALL"],
        "IntervalSeconds": 91,
        "MaxAttempts": 2,
        "BackoffRate": 1.0,
    }


def test_backoff_is_bounded_by_max_retry_delay() -> None:
    workflow = a_workflow(a_task("a", retry=Retry(attempts=5, delay=60, backoff=2.0, max_delay=600)))
    lowered = lower(workflow)
    assert lowered.definition["States"]["a"]["Retry"][-1]["MaxDelaySeconds"] == 600
    assert [finding.id for finding in lowered.findings if finding.id == "OB323"] == ["OB323"]


def test_a_task_without_retries_has_none_but_those_for_the_service() -> None:
    retry = lower(a_workflow(a_task("a"))).definition["States"]["a"]["Retry"]
    assert all(error.startswith("Lambda.") for entry in retry for error in entry["ErrorEquals"])


def test_long_and_awkward_task_ids_get_valid_state_names() -> None:
    ids = ["x" * 100, "x" * 99 + "y", "group.inner", "naïve-1"]
    workflow = a_workflow(*(a_task(task_id) for task_id in ids))
    played = play(workflow)
    assert played.states == dict.fromkeys(ids, "success")
    assert check(lower(workflow).definition, placeholders=(FUNCTION,), expressions=True) == ()


def test_execution_timeout_beyond_lambda_is_refused() -> None:
    (finding,) = lower(a_workflow(a_task("a", execution_timeout=3600.0))).findings
    assert (finding.id, finding.severity.value, finding.attribute) == ("OB324", "error", "execution_timeout")


def test_dagrun_timeout_limits_the_machine() -> None:
    assert lower(a_workflow(a_task("a"), dagrun_timeout=120.0)).definition["TimeoutSeconds"] == 120


def test_a_resumed_ledger_reaches_the_first_task() -> None:
    first = lower(a_workflow(a_task("a"))).definition["States"]["a"]
    assert "$states.input.ledger" in first["Arguments"]["Payload"]["ledger"]
