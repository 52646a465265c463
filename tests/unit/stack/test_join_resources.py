"""The table of joins: there only where a machine has joins, and no more rights than they need."""

from __future__ import annotations

from typing import Any

import pytest
from stacks import ACKNOWLEDGED, diagnosed, stack
from workflows import a_task, a_workflow

from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.stack.check import check_template
from orkestra_bridge.stack.joins import JOINS

AN_N = a_workflow(a_task("a"), a_task("b"), a_task("c", "a"), a_task("d", "a", "b"))


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return stack(definition=lower(AN_N, "token").definition, layer=False).template


def test_the_template_is_valid(template: dict[str, Any]) -> None:
    assert diagnosed(template) <= ACKNOWLEDGED
    assert check_template(template) == ()


def test_the_table(template: dict[str, Any]) -> None:
    table = template["Resources"][JOINS]
    assert table["Type"] == "AWS::DynamoDB::Table"
    properties = table["Properties"]
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert properties["Tags"]
    machine = template["Resources"]["StateMachine"]["Properties"]
    assert machine["DefinitionSubstitutions"][JOINS] == {"Ref": JOINS}


def test_what_the_definition_writes_is_what_the_table_expires_by(template: dict[str, Any]) -> None:
    definition = str(template["Resources"]["StateMachine"]["Properties"]["Definition"])
    table = template["Resources"][JOINS]["Properties"]
    assert f"SET {table['TimeToLiveSpecification']['AttributeName']} = :expires" in definition
    assert f"{{'{table['KeySchema'][0]['AttributeName']}': {{'S':" in definition


def test_the_machine_may_use_its_own_table_and_wake_its_own_tasks(template: dict[str, Any]) -> None:
    role = template["Resources"]["StateMachineRole"]["Properties"]
    statements = {item["Sid"]: item for item in role["Policies"][0]["PolicyDocument"]["Statement"]}
    assert statements["Join"]["Action"] == ["dynamodb:GetItem", "dynamodb:UpdateItem"]
    assert statements["Join"]["Resource"] == [{"Fn::GetAtt": [JOINS, "Arn"]}]
    assert statements["WakeOwnTasks"]["Action"] == ["states:SendTaskSuccess"]
    (own,) = statements["WakeOwnTasks"]["Resource"]
    assert own["Fn::Sub"].endswith(":stateMachine:${StateMachineName}")


@pytest.mark.parametrize(
    "definition",
    [None, lower(AN_N, "barrier").definition, lower(a_workflow(a_task("a")), "token").definition],
)
def test_without_joins_there_is_no_table(definition: Any) -> None:
    template = stack(definition=definition, layer=False).template
    assert JOINS not in template["Resources"]
    assert "SendTaskSuccess" not in str(template)
