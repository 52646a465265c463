"""What a machine with distributed Maps may do: start executions of itself and watch them, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from stacks import ACKNOWLEDGED, diagnosed, stack, statements
from workflows import a_task, a_workflow

from orkestra_bridge.ir.model import Expansion, MappedGroup
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.stack.check import check_template

if TYPE_CHECKING:
    from orkestra_bridge.options import Maps

MAPPED = a_workflow(a_task("a"), a_task("m", "a", mapped=True, expansion=Expansion(over=("a",))))


def template_of(maps: Maps) -> dict[str, Any]:
    return stack(definition=lower(MAPPED, maps=maps).definition, layer=False).template


def rights(maps: Maps) -> dict[str, Any]:
    return statements(template_of(maps), "StateMachineRole")


def test_a_machine_with_a_distributed_map_may_start_and_watch_executions_of_itself() -> None:
    found = rights("distributed")
    place = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}"
    assert found["StartInstances"]["Action"] == ["states:StartExecution"]
    assert found["StartInstances"]["Resource"] == [{"Fn::Sub": f"{place}:stateMachine:${{StateMachineName}}"}]
    assert found["WatchInstances"]["Action"] == ["states:DescribeExecution", "states:StopExecution"]
    assert found["WatchInstances"]["Resource"] == [
        {"Fn::Sub": f"{place}:execution:${{StateMachineName}}:*"},
        {"Fn::Sub": f"{place}:execution:${{StateMachineName}}/*"},
    ]


@pytest.mark.parametrize("maps", ["auto", "distributed"])
def test_it_may_wake_the_tasks_that_wait_in_such_executions(maps: Maps) -> None:
    inside: dict[str, Any] = {"mapped": True, "mapped_group": "g"}
    tasks = (
        a_task("g.a", **inside),
        a_task("g.b", **inside),
        a_task("g.c", "g.a", **inside),
        a_task("g.d", "g.a", "g.b", **inside),
    )
    workflow = a_workflow(*tasks, mapped_groups=(MappedGroup(group_id="g", expansion=Expansion(length=2)),))
    template = stack(definition=lower(workflow, maps=maps).definition, layer=False).template
    found = statements(template, "StateMachineRole")
    place = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${StateMachineName}"
    assert found["WakeOwnTasks"]["Resource"] == [{"Fn::Sub": place}]
    if maps == "auto":
        assert "WakeTasksOfInstances" not in found
    else:
        assert found["WakeTasksOfInstances"]["Action"] == ["states:SendTaskSuccess"]
        assert found["WakeTasksOfInstances"]["Resource"] == [{"Fn::Sub": f"{place}/*"}]
    assert diagnosed(template) <= ACKNOWLEDGED
    assert check_template(template) == ()


def test_joins_around_a_distributed_map_do_not_let_it_wake_what_is_inside() -> None:
    mapped = a_task("m", "a", mapped=True, expansion=Expansion(over=("a",)))
    workflow = a_workflow(a_task("a"), mapped, a_task("b"), a_task("c", "a", "b"))
    template = stack(definition=lower(workflow, maps="distributed").definition, layer=False).template
    assert {"WakeOwnTasks", "StartInstances"} <= statements(template, "StateMachineRole").keys()
    assert "WakeTasksOfInstances" not in statements(template, "StateMachineRole")


def test_without_one_it_may_not() -> None:
    assert not {"StartInstances", "WatchInstances"} & set(rights("auto"))


@pytest.mark.parametrize("maps", ["auto", "distributed"])
def test_the_template_is_valid(maps: Maps) -> None:
    template = template_of(maps)
    assert diagnosed(template) <= ACKNOWLEDGED
    assert check_template(template) == ()
