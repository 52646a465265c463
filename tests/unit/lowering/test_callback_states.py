"""The states that call what the handler could not call."""

from __future__ import annotations

import json
from typing import Any

import pytest
from workflows import a_task, a_workflow

from orkestra_bridge.asl.check import check
from orkestra_bridge.ir.model import Attribute, Workflow
from orkestra_bridge.local.interpreter import Execution, StatesError, TaskCall, VirtualClock, execute
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.lowering.task import FUNCTION
from orkestra_bridge.runtime.event import unpacked
from orkestra_bridge.runtime.failure import CALLED

ON_FAILURE = (Attribute(name="on_failure_callback", value="dag.note"),)
OF_DAG = (
    Attribute(name="on_success_callback", value="dag.yes"),
    Attribute(name="on_failure_callback", value="dag.no"),
)
HANDLED = json.dumps({"errorMessage": f"no{CALLED}", "errorType": "ValueError"})


class Function:
    """Fails for task ``a`` as it is told, and keeps the payloads that it was called with."""

    def __init__(self, *, cause: str | None = None, callback_fails: bool = False) -> None:
        self.cause = cause
        self.callback_fails = callback_fails
        self.payloads: list[Any] = []

    async def __call__(self, call: TaskCall) -> Any:
        payload = unpacked(call.arguments["Payload"])
        self.payloads.append(payload)
        if payload.get("callback"):
            if self.callback_fails:
                raise StatesError("ValueError", "the callback failed")
            entry = dict(payload["ledger"].get(payload.get("task_id"), {}))
            entry.pop("called", None)
            return {"Payload": entry}
        if payload["task_id"] == "a" and self.cause is not None:
            raise StatesError("ValueError", self.cause)
        return {"Payload": {"state": "success", "tries": 1}}

    @property
    def callbacks(self) -> list[tuple[str, Any]]:
        return [(each["callback"], each.get("task_id")) for each in self.payloads if "callback" in each]


def run(workflow: Workflow, function: Function) -> Execution:
    definition = lower(workflow).definition
    assert check(definition, placeholders=(FUNCTION,), expressions=True) == ()
    clock = VirtualClock()
    return clock.run(execute(definition, {}, tasks=function, clock=clock))


def chain(**of_dag: Any) -> Workflow:
    last = a_task("b", "a", trigger_rule="all_done")
    return a_workflow(a_task("a", attributes=ON_FAILURE), last, **of_dag)


def beside_another() -> Workflow:
    tasks = (a_task("a", attributes=ON_FAILURE), a_task("x"), a_task("b", "a", "x", trigger_rule="all_done"))
    return a_workflow(*tasks)


@pytest.mark.parametrize("workflow", [chain(), beside_another()], ids=["chain", "branch"])
@pytest.mark.parametrize("callback_fails", [False, True])
@pytest.mark.parametrize(("cause", "called"), [(HANDLED, True), ("killed", False)])
def test_after_a_failure_the_function_is_asked_to_call_back(
    workflow: Workflow, cause: str, *, called: bool, callback_fails: bool
) -> None:
    function = Function(cause=cause, callback_fails=callback_fails)
    execution = run(workflow, function)
    assert execution.status == "SUCCEEDED"
    assert function.callbacks == [("on_failure", "a")]
    (asked,) = (payload for payload in function.payloads if "callback" in payload)
    assert asked["ledger"]["a"]["state"] == "failed"
    assert asked["ledger"]["a"].get("called", False) is called
    assert execution.output["a"]["state"] == "failed"
    assert execution.output["b"]["state"] == "success"


def test_without_failure_nothing_is_asked() -> None:
    function = Function()
    assert run(chain(), function).status == "SUCCEEDED"
    assert function.callbacks == []


def test_a_callback_state_costs_nothing_where_there_is_no_callback() -> None:
    plain = a_workflow(a_task("a"), a_task("b", "a"))
    called_back = a_workflow(a_task("a", attributes=ON_FAILURE), a_task("b", "a"))
    assert lower(called_back).states == lower(plain).states + 1
    assert lower(called_back).transitions == lower(plain).transitions


@pytest.mark.parametrize("callback_fails", [False, True])
@pytest.mark.parametrize(
    ("cause", "status", "called"), [(None, "SUCCEEDED", "dag_success"), ("no", "FAILED", "dag_failure")]
)
def test_the_dags_callback_does_not_change_the_runs_state(
    cause: str | None, status: str, called: str, *, callback_fails: bool
) -> None:
    function = Function(cause=cause, callback_fails=callback_fails)
    workflow = a_workflow(a_task("a"), attributes=OF_DAG)
    execution = run(workflow, function)
    assert (execution.status, function.callbacks) == (status, [(called, None)])
    assert set(function.payloads[-1]["ledger"]) == {"a"}
    if status == "SUCCEEDED":
        assert execution.output["a"]["state"] == "success"


def test_a_dag_with_one_callback_calls_no_other() -> None:
    function = Function(cause="no")
    assert run(a_workflow(a_task("a"), attributes=OF_DAG[:1]), function).status == "FAILED"
    assert function.callbacks == []
