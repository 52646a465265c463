"""The model of Airflow's scheduler, the generator and the minimiser: what the comparison with Airflow rests on."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any

import pytest
from airflow_model import TooManyOrdersError, fingerprint, possible_outcomes
from airflow_rules import FINISHED, judge
from dag_generator import RULES, Features, generate
from dag_minimiser import minimise
from dag_plan import Argument, DagPlan, Pull, TaskPlan
from dag_writer import write_file
from equivalence import difference
from order_sensitivity import relevant_tasks

from orkestra_bridge.runtime.trigger_rules import decide

if TYPE_CHECKING:
    from collections.abc import Sequence

SEEDS = range(200)


def plan_of(*tasks: TaskPlan, edges: str) -> DagPlan:
    """Return a plan with edges written as ``a>b c>d``."""
    pairs = (edge.split(">") for edge in edges.split())
    return DagPlan(dag_id="d", tasks=tasks, edges=tuple((before, after) for before, after in pairs))


def states_of(plan: DagPlan, task_id: str, major: int = 3) -> set[str]:
    outcomes = possible_outcomes(plan, major=major).values()
    return {outcome["tasks"][task_id]["state"] for outcome in outcomes}


@pytest.mark.parametrize("rule", RULES)
def test_two_readings_of_the_trigger_rules_agree_once_all_upstreams_have_finished(rule: str) -> None:
    for size in range(5):
        for states in combinations_with_replacement(FINISHED, size):
            verdict = judge(rule, states, size)
            assert {"queued": "run"}.get(verdict, verdict) == decide(rule, states), states


def pairs_of(plan: DagPlan, first: str, second: str, *, major: int) -> set[tuple[str, str]]:
    outcomes = possible_outcomes(plan, major=major).values()
    return {(outcome["tasks"][first]["state"], outcome["tasks"][second]["state"]) for outcome in outcomes}


SKIP = TaskPlan(task_id="skip", outcome="skip")
FAIL = TaskPlan(task_id="fail", outcome="fail")
JOIN = TaskPlan(task_id="join")


def test_a_skip_and_a_failure_race() -> None:
    assert states_of(plan_of(SKIP, FAIL, JOIN, edges="skip>join fail>join"), "join") == {
        "skipped",
        "upstream_failed",
    }


def test_a_failure_that_begins_after_the_skip_comes_too_late() -> None:
    late = replace(FAIL, rule="all_done")
    plan = plan_of(SKIP, late, JOIN, edges="skip>fail skip>join fail>join")
    assert states_of(plan, "join") == {"skipped"}


def test_a_task_that_starts_early_may_outrun_the_branch_that_skips_it() -> None:
    branch = TaskPlan(task_id="branch", kind="branch", chooses="other")
    plan = plan_of(
        branch, replace(JOIN, rule="always"), TaskPlan(task_id="other"), edges="branch>join branch>other"
    )
    assert states_of(plan, "join") == {"skipped", "success"}


def test_airflow_2_skips_what_has_already_failed() -> None:
    branch = TaskPlan(task_id="branch", kind="branch", chooses="other")
    tasks = (branch, FAIL, replace(JOIN, rule="one_failed", outcome="fail"), TaskPlan(task_id="other"))
    plan = plan_of(
        *tasks,
        TaskPlan(task_id="last", rule="all_failed"),
        edges="branch>join branch>other fail>join join>last",
    )
    assert ("skipped", "success") in pairs_of(plan, "join", "last", major=2)
    assert ("skipped", "success") not in pairs_of(plan, "join", "last", major=3)


def test_a_short_circuit_turns_upstream_failed_into_skipped() -> None:
    stop = TaskPlan(task_id="stop", kind="short_circuit", holds=False)
    last = TaskPlan(task_id="last", rule="all_done")
    plan = plan_of(stop, FAIL, JOIN, last, edges="stop>join fail>join join>last")
    assert states_of(plan, "join") == {"skipped"}
    assert states_of(plan, "last") == {"skipped", "success"}


def test_what_a_task_pulls_may_come_too_late() -> None:
    early = TaskPlan(task_id="early", rule="one_success", pulls=(Pull(task_ids=("b",)),), passes_on=True)
    plan = plan_of(TaskPlan(task_id="a"), TaskPlan(task_id="b", value=1), early, edges="a>early b>early")
    seen = [one["xcom"]["early"]["return_value"]["seen"] for one in possible_outcomes(plan).values()]
    assert sorted(seen, key=str) == [[1], [None]]


def test_a_plan_with_too_many_orders_is_given_up() -> None:
    tasks = [replace(SKIP if index % 2 else FAIL, task_id=f"t{index}") for index in range(12)]
    plan = plan_of(*tasks, JOIN, edges=" ".join(f"{task.task_id}>join" for task in tasks))
    with pytest.raises(TooManyOrdersError):
        possible_outcomes(plan, limit=500)


def test_only_plans_with_relevant_tasks_have_several_outcomes() -> None:
    several = [seed for seed in SEEDS if len(possible_outcomes(generate(seed, Features()))) > 1]
    assert len(several) > len(SEEDS) // 50
    assert all(relevant_tasks(generate(seed, Features())) for seed in several)


def test_the_same_seed_gives_the_same_file() -> None:
    first, second = (write_file([generate(seed, Features()) for seed in range(20)]) for _ in range(2))
    assert first == second
    assert first != write_file([generate(seed, Features()) for seed in range(1, 21)])


@pytest.mark.parametrize("imports", ["sdk", "classic"])
def test_generated_files_are_python(imports: Any) -> None:
    text = write_file([generate(seed, Features()) for seed in SEEDS], imports)
    assert "DAG" in compile(text, "generated.py", "exec").co_names


def test_everything_occurs() -> None:
    plans = [generate(seed, Features()) for seed in SEEDS]
    tasks = [task for plan in plans for task in plan.tasks]
    assert {task.rule for task in tasks} == set(RULES)
    kinds = {"python", "taskflow", "operator", "empty", "bash", "branch", "short_circuit"}
    assert {task.kind for task in tasks} == kinds
    assert {task.outcome for task in tasks} == {"success", "skip", "fail", "fail_for_good", "flaky"}
    assert {type(task.chooses) for task in tasks} == {str, tuple, type(None)}
    assert {(task.holds, task.cascades) for task in tasks if task.kind == "short_circuit"} == {
        (holds, cascades) for holds in (True, False) for cascades in (True, False)
    }
    assert any(task.chooses in plan.groups for plan in plans for task in plan.tasks)
    assert any("g1.inner" in plan.groups for plan in plans)
    assert any(argument.key != "return_value" for task in tasks for argument in task.arguments)
    assert any(pull.listed and len(pull.task_ids) > 1 for task in tasks for pull in task.pulls)
    assert any(task.multiple_outputs for task in tasks)


def test_features_can_be_left_out() -> None:
    bare = Features(
        rules=("all_success",),
        trouble=0.0,
        groups=False,
        branches=False,
        short_circuits=False,
        retries=False,
        bash=False,
        taskflow=False,
        xcom=False,
    )
    tasks = [task for seed in SEEDS for task in generate(seed, bare).tasks]
    assert {task.kind for task in tasks} == {"python", "operator", "empty"}
    assert {task.outcome for task in tasks} == {"success"}
    assert not any(task.pulls or task.pushes or task.group or task.retries or task.taskflow for task in tasks)


def test_a_minimal_plan_is_found() -> None:
    """What is interesting here is a failing task below a task that pushes."""

    def interesting(plan: DagPlan) -> bool:
        return any(
            task.outcome == "fail" and any(plan.by_id[name].pushes for name in plan.above[task.task_id])
            for task in plan.tasks
        )

    def first_of(plans: Sequence[DagPlan]) -> DagPlan | None:
        return next((plan for plan in plans if interesting(plan)), None)

    found = [plan for seed in SEEDS if interesting(plan := generate(seed, Features()))]
    smallest = [minimise(plan, first_of) for plan in found[:5]]
    assert smallest
    for plan in smallest:
        assert [task.outcome for task in plan.tasks] == ["success", "fail"]
        assert len(plan.edges) + len(plan.tasks[1].arguments) == 1
        assert plan.tasks[1].kind != "empty"
        compile(write_file([plan]), "minimised.py", "exec")


def test_reductions_keep_files_valid() -> None:
    """A minimised plan must mean what its file says: arguments and branches lead nowhere else."""

    def first_of(plans: Sequence[DagPlan]) -> DagPlan | None:
        for plan in plans:
            nodes = {*plan.by_id, *plan.groups}
            assert all(set(edge) <= nodes for edge in plan.edges)
            assert all(argument.task_id in nodes for task in plan.tasks for argument in task.arguments)
            assert all(name in nodes for task in plan.tasks for pull in task.pulls for name in pull.task_ids)
            compile(write_file([plan]), "smaller.py", "exec")
        return plans[len(plans) // 2] if plans else None

    for seed in range(6):
        minimise(generate(seed, Features()), first_of)


def test_a_wrong_outcome_is_noticed() -> None:
    given = TaskPlan(
        task_id="b", taskflow=True, kind="taskflow", arguments=(Argument(task_id="a"),), passes_on=True
    )
    plan = plan_of(TaskPlan(task_id="a", value=2.0), given, edges="")
    possible = possible_outcomes(plan)
    (right,) = possible.values()
    assert difference(right, possible) == ""
    assert difference({**right, "run_state": "failed"}, possible)
    assert difference({**right, "xcom": {}}, possible)
    assert difference({**right, "tasks": {**right["tasks"], "a": {"state": "success", "tries": 2}}}, possible)
    assert difference(None, possible) == "not translated"
    assert fingerprint({**right, "xcom": {**right["xcom"], "a": {"return_value": 2}}}) in possible


def test_setups_and_teardowns_occur() -> None:
    plans = [generate(seed, Features(setups=True)) for seed in SEEDS]
    roles = {task.role for plan in plans for task in plan.tasks}
    assert roles == {"work", "setup", "teardown"}
    assert any(any(plan.needed_setups.values()) for plan in plans)
    assert any(task.fails_run for plan in plans for task in plan.tasks)
    compile(write_file(plans), "generated.py", "exec")


STOPPING = Features(fail_fast=True, setups=True)


def test_dags_that_stop_at_the_first_failure_stand_in_a_row() -> None:
    plans = [generate(seed, STOPPING) for seed in SEEDS]
    assert all(plan.in_a_row and plan.fail_fast for plan in plans)
    assert {task.rule for plan in plans for task in plan.tasks} == {"all_success", "all_done_setup_success"}
    compile(write_file(plans), "generated.py", "exec")
    assert not plan_of(SKIP, FAIL, JOIN, edges="skip>join fail>join").in_a_row


def test_the_first_failure_skips_what_waits_and_fails_what_runs() -> None:
    teardown = TaskPlan(task_id="teardown", role="teardown", rule="all_done_setup_success")
    setup, later = TaskPlan(task_id="setup", role="setup"), TaskPlan(task_id="later")
    row = plan_of(
        setup,
        FAIL,
        JOIN,
        teardown,
        later,
        edges="setup>fail fail>join join>teardown setup>teardown teardown>later",
    )
    (outcome,) = possible_outcomes(replace(row, fail_fast=True)).values()
    assert {name: task["state"] for name, task in outcome["tasks"].items()} == {
        "setup": "success",
        "fail": "failed",
        "join": "skipped",
        "teardown": "success",
        "later": "skipped",
    }
    assert outcome["run_state"] == "success"
    (outcome,) = possible_outcomes(row).values()
    assert outcome["tasks"]["join"]["state"] == "upstream_failed"
    assert outcome["tasks"]["later"]["state"] == "success"
    beside = replace(plan_of(FAIL, TaskPlan(task_id="beside"), edges=""), fail_fast=True)
    assert states_of(beside, "beside") == {"failed", "skipped", "success"}


def test_work_needs_its_setup_and_a_teardown_does_not_fail_the_run() -> None:
    setup = TaskPlan(task_id="setup", role="setup", outcome="fail")
    teardown = TaskPlan(task_id="teardown", role="teardown", rule="all_done_setup_success", outcome="fail")
    first, work = TaskPlan(task_id="first"), TaskPlan(task_id="work", rule="all_done")
    edges = "setup>first first>work work>teardown setup>teardown"
    (outcome,) = possible_outcomes(plan_of(setup, first, work, teardown, edges=edges)).values()
    assert {outcome["tasks"][name]["state"] for name in ("first", "work", "teardown")} == {"upstream_failed"}
    fine = replace(setup, outcome="success")
    (outcome,) = possible_outcomes(plan_of(fine, first, work, teardown, edges=edges)).values()
    assert (outcome["tasks"]["teardown"]["state"], outcome["run_state"]) == ("failed", "success")
    strict = replace(teardown, fails_run=True)
    (outcome,) = possible_outcomes(plan_of(fine, first, work, strict, edges=edges)).values()
    assert outcome["run_state"] == "failed"
