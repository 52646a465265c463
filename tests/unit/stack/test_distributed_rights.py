"""What a machine with distributed Maps may do: start executions of itself and watch them, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from stacks import ACKNOWLEDGED, diagnosed, stack, statements
from workflows import a_task, a_workflow

from orkestra_bridge.ir.model import Expansion
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


def test_without_one_it_may_not() -> None:
    assert not {"StartInstances", "WatchInstances"} & set(rights("auto"))


@pytest.mark.parametrize("maps", ["auto", "distributed"])
def test_the_template_is_valid(maps: Maps) -> None:
    template = template_of(maps)
    assert diagnosed(template) <= ACKNOWLEDGED
    assert check_template(template) == ()
