"""The resources of a DAG in several state machines, and what is too large for a template."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from stacks import ACKNOWLEDGED, FUNCTION, diagnosed, statements, workflow
from workflows import from_edges

from orkestra_bridge.ir.serialize import render
from orkestra_bridge.lowering.cutting import Weight
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.lowering.payload import ROOM
from orkestra_bridge.options import Target
from orkestra_bridge.stack.check import check_template
from orkestra_bridge.stack.definitions import INLINE_LIMIT, asset_bytes
from orkestra_bridge.stack.template import TEMPLATE_LIMIT, build_stack

if TYPE_CHECKING:
    from orkestra_bridge.stack.model import Stack

ARN = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}"


def stack_of(count: int, *, limit: Weight | None = None, joined: bool = False) -> Stack:
    names = [f"{side}{i}" for i in range(count) for side in "ab"]
    edges = [(f"{side}{i}", f"{side}{i + 1}") for side in "ab" for i in range(count - 1)]
    dag = from_edges(names, [*edges, ("a0", f"b{count - 1}")] if joined else edges)
    lowered = lower(dag, "token", limit) if limit else lower(dag)
    return build_stack(workflow("none"), lowered.definition, FUNCTION, None, Target(), parts=lowered.parts)


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return stack_of(12, limit=Weight(14_000, 10**6, ROOM), joined=True).template


def machines(template: dict[str, Any]) -> list[str]:
    kind = "AWS::StepFunctions::StateMachine"
    return [name for name, resource in template["Resources"].items() if resource["Type"] == kind]


def test_the_template_is_valid(template: dict[str, Any]) -> None:
    assert diagnosed(template) <= ACKNOWLEDGED
    assert check_template(template) == ()


def test_each_part_has_a_machine_with_a_role_and_the_log_of_the_dag(template: dict[str, Any]) -> None:
    parts = machines(template)[1:]
    assert parts == [f"Part{number}" for number in range(1, len(parts) + 1)]
    assert len(parts) > 2
    main = template["Resources"]["StateMachine"]["Properties"]
    for number, name in enumerate(parts, start=1):
        properties = template["Resources"][name]["Properties"]
        assert properties["StateMachineName"] == {"Fn::Sub": f"${{StateMachineName}}-part-{number}"}
        assert properties["RoleArn"] == {"Fn::GetAtt": [f"{name}Role", "Arn"]}
        assert properties["LoggingConfiguration"] == main["LoggingConfiguration"]
        assert properties["Tags"] == main["Tags"]


def test_a_machine_may_start_its_parts_and_no_others(template: dict[str, Any]) -> None:
    for name in machines(template):
        properties = template["Resources"][name]["Properties"]
        rights = statements(template, f"{name}Role")
        started = [
            value["Ref"].removeprefix("Part")
            for value in properties["DefinitionSubstitutions"].values()
            if value.get("Ref", "").startswith("Part")
        ]
        if not started:
            assert not {"StartParts", "WaitForParts", "HearOfParts"} & set(rights)
            continue
        assert rights["StartParts"]["Action"] == ["states:StartExecution"]
        assert sorted(each["Fn::Sub"] for each in rights["StartParts"]["Resource"]) == sorted(
            f"{ARN}:stateMachine:${{StateMachineName}}-part-{number}" for number in started
        )
        assert rights["WaitForParts"]["Action"] == ["states:DescribeExecution", "states:StopExecution"]
        assert all(each["Fn::Sub"].endswith(":*") for each in rights["WaitForParts"]["Resource"])
        (rule,) = rights["HearOfParts"]["Resource"]
        assert rule["Fn::Sub"].endswith(":rule/StepFunctionsGetEventsForStepFunctionsExecutionRule")


def test_a_part_may_wake_tasks_of_other_parts(template: dict[str, Any]) -> None:
    joining = [name for name in machines(template) if "Join" in statements(template, f"{name}Role")]
    assert len(joining) > 1
    for name in joining:
        woken = [each["Fn::Sub"] for each in statements(template, f"{name}Role")["WakeOwnTasks"]["Resource"]]
        assert len(woken) == len(machines(template))


def test_only_who_invokes_the_function_may(template: dict[str, Any]) -> None:
    for name in machines(template):
        definition = json.dumps(template["Resources"][name]["Properties"]["Definition"])
        assert ("InvokeTasks" in statements(template, f"{name}Role")) == ("lambda:invoke" in definition)


def test_names_of_parts_fit(template: dict[str, Any]) -> None:
    parameter = template["Parameters"]["StateMachineName"]
    longest = len("-part-") + len(str(len(machines(template)) - 1))
    assert parameter["MaxLength"] == 80 - longest
    dag = workflow(dag_id="d" * 100)
    lowered = lower(from_edges("abcdefgh", []), "token", Weight(4_000, 10**6, ROOM))
    made = build_stack(dag, lowered.definition, FUNCTION, None, Target(), parts=lowered.parts)
    assert len(made.template["Parameters"]["StateMachineName"]["Default"]) <= 74


def test_roles_stay_within_their_limit() -> None:
    """AWS: the inline policies of a role have 10,240 characters in all, spaces not counted."""
    template = stack_of(60, limit=Weight(6_000, 10**6, ROOM)).template
    assert len(machines(template)) > 17
    for name in machines(template):
        policies = template["Resources"][f"{name}Role"]["Properties"]["Policies"]
        text = json.dumps(policies, separators=(",", ":"))
        for long in ("AWS::Partition", "AWS::Region", "AWS::AccountId", "StateMachineName"):
            text = text.replace(f"${{{long}}}", "x" * {"StateMachineName": 74}.get(long, 14))
        assert len(text) < 10_240


def test_what_a_template_has_no_room_for_is_a_file_of_its_own() -> None:
    stack = stack_of(600)
    template, names = stack.template, list(stack.definitions)
    assert "Part1" in names
    assert len(render(template, sort=False)) <= TEMPLATE_LIMIT
    assert check_template(template) == ()
    for name in names:
        properties = template["Resources"][name]["Properties"]
        location = properties["DefinitionS3Location"]
        assert location == {"Bucket": {"Ref": "AssetBucket"}, "Key": {"Ref": f"{name}DefinitionKey"}}
        assert "Definition" not in properties
        assert "DefinitionString" not in properties
        assert properties["DefinitionSubstitutions"]
        default = template["Parameters"][f"{name}DefinitionKey"]["Default"]
        assert default.startswith("orkestra-bridge/")
        assert json.loads(asset_bytes(stack.definitions[name])) == stack.definitions[name]
        assert b"\n" not in asset_bytes(stack.definitions[name])


def test_what_fits_stays_in_the_template() -> None:
    stack = stack_of(50)
    assert stack.definitions == {}
    assert len(render(stack.template, sort=False)) <= INLINE_LIMIT


def test_a_template_with_definitions_elsewhere_is_valid() -> None:
    from cloudformation_validate import CelEngine, TemplateContent

    template = stack_of(600).template
    report = CelEngine().validate_template(TemplateContent(render(template), "template.json"))
    errors = [item.rule_id for item in report.diagnostics if item.severity.name not in {"INFO", "WARN"}]
    assert errors == []
