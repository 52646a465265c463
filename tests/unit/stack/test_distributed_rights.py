"""What a machine with distributed Maps may do: start executions of itself and watch them, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from stacks import stack
from workflows import a_task, a_workflow

from orkestra_bridge.ir.model import Expansion
from orkestra_bridge.ir.serialize import render
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.stack.check import check_template

if TYPE_CHECKING:
    from orkestra_bridge.options import Maps

MAPPED = a_workflow(a_task("a"), a_task("m", "a", mapped=True, expansion=Expansion(over=("a",))))


def template_of(maps: Maps) -> dict[str, Any]:
    return stack(definition=lower(MAPPED, maps=maps).definition, layer=False).template


def statements(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    role = template["Resources"]["StateMachineRole"]["Properties"]
    return {item["Sid"]: item for item in role["Policies"][0]["PolicyDocument"]["Statement"]}


def test_a_machine_with_a_distributed_map_may_start_and_watch_executions_of_itself() -> None:
    found = statements(template_of("distributed"))
    place = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}"
    assert found["StartInstances"]["Action"] == ["states:StartExecution"]
    assert found["StartInstances"]["Resource"] == [{"Fn::Sub": f"{place}:stateMachine:${{StateMachineName}}"}]
    assert found["WatchInstances"]["Action"] == ["states:DescribeExecution", "states:StopExecution"]
    assert found["WatchInstances"]["Resource"] == [
        {"Fn::Sub": f"{place}:execution:${{StateMachineName}}:*"},
        {"Fn::Sub": f"{place}:execution:${{StateMachineName}}/*"},
    ]


def test_without_one_it_may_not() -> None:
    assert not {"StartInstances", "WatchInstances"} & set(statements(template_of("auto")))


@pytest.mark.parametrize("maps", ["auto", "distributed"])
def test_the_template_is_valid(maps: Maps) -> None:
    from cloudformation_validate import CelEngine, TemplateContent

    template = template_of(maps)
    report = CelEngine().validate_template(TemplateContent(render(template), "template.json"))
    found = {
        (item.severity.name, item.rule_id) for item in report.diagnostics if item.severity.name != "INFO"
    }
    assert found <= {("WARN", "W1030")}
    assert check_template(template) == ()
