from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from stacks import ACKNOWLEDGED, DEFINITION, FUNCTION, SCHEDULES, diagnosed, stack, workflow

from orkestra_bridge.ir.serialize import render
from orkestra_bridge.options import Target
from orkestra_bridge.stack.check import check_template
from orkestra_bridge.stack.template import build_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]


@pytest.mark.parametrize("layer", [True, False])
@pytest.mark.parametrize("schedule", sorted(SCHEDULES))
def test_templates_are_valid(schedule: str, layer: bool) -> None:
    names = {"variables": ("bucket",), "connections": ("warehouse",)} if layer else {}
    template = stack(schedule, layer=layer, end_date="2030-01-01T00:00:00+00:00", **names).template
    assert diagnosed(template) <= ACKNOWLEDGED
    assert check_template(template) == ()


def test_the_validator_does_find_faults() -> None:
    template = stack().template
    template["Resources"]["TasksFunction"]["Properties"]["MemorySize"] = 5
    assert diagnosed(template) - ACKNOWLEDGED


def of_type(template: Json, kind: str) -> dict[str, Json]:
    found = template["Resources"].items()
    return {name: item["Properties"] for name, item in found if item["Type"] == f"AWS::{kind}"}


def test_a_daily_dag_has_all_that_it_needs() -> None:
    resources = stack(layer=False).template["Resources"]
    assert {name: item["Type"].removeprefix("AWS::") for name, item in resources.items()} == {
        "Launcher": "StepFunctions::StateMachine",
        "LauncherRole": "IAM::Role",
        "Schedule": "Scheduler::Schedule",
        "ScheduleRole": "IAM::Role",
        "StateMachine": "StepFunctions::StateMachine",
        "StateMachineLog": "Logs::LogGroup",
        "StateMachineRole": "IAM::Role",
        "TasksFunction": "Lambda::Function",
        "TasksFunctionLog": "Logs::LogGroup",
        "TasksFunctionRole": "IAM::Role",
        "UndeliveredRuns": "SQS::Queue",
        "UndeliveredRunsPolicy": "SQS::QueuePolicy",
    }


def test_without_a_schedule_there_is_nothing_to_start_runs() -> None:
    template = stack("none").template
    assert not of_type(template, "Scheduler::Schedule")
    assert "Launcher" not in template["Resources"]
    assert "ScheduleState" not in template["Parameters"]


def test_the_schedule() -> None:
    template = stack().template
    schedule = of_type(template, "Scheduler::Schedule")["Schedule"]
    assert schedule["ScheduleExpression"] == "cron(0 5 * * ? *)"
    assert schedule["ScheduleExpressionTimezone"] == "UTC"
    assert json.loads(schedule["Target"]["Input"]) == {
        "run_type": "scheduled",
        "scheduled_time": "<aws.scheduler.scheduled-time>",
    }
    assert template["Parameters"]["ScheduleState"]["Default"] == "ENABLED"
    assert stack(paused=True).template["Parameters"]["ScheduleState"]["Default"] == "DISABLED"


def test_several_expressions_are_several_schedules_with_ids_of_their_own() -> None:
    schedules = of_type(stack("either").template, "Scheduler::Schedule")
    assert sorted(item["ScheduleExpression"] for item in schedules.values()) == [
        "cron(0 5 13 * ? *)",
        "cron(0 5 ? * FRI *)",
    ]
    assert {item["ScheduleExpressionTimezone"] for item in schedules.values()} == {"Europe/Paris"}


def test_a_single_run_is_started_at_a_moment_that_is_given() -> None:
    template = stack("once").template
    schedule = template["Resources"]["Schedule"]
    assert schedule["Condition"] == "HasRunOnceAt"
    assert schedule["Properties"]["ScheduleExpression"] == {"Fn::Sub": "at(${RunOnceAt})"}
    assert template["Parameters"]["RunOnceAt"]["Default"] == ""


def test_the_function() -> None:
    function = of_type(stack().template, "Lambda::Function")["TasksFunction"]
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]
    assert function["Handler"] == "orkestra_bridge.runtime.handler.handle"
    assert (function["MemorySize"], function["Timeout"]) == (512, 900)
    assert function["Code"] == {"S3Bucket": {"Ref": "AssetBucket"}, "S3Key": {"Ref": "TasksCodeKey"}}
    assert function["Layers"] == [{"Ref": "DependenciesLayer"}]
    assert "Layers" not in of_type(stack(layer=False).template, "Lambda::Function")["TasksFunction"]
    assert stack().template["Parameters"]["TasksCodeKey"]["Default"] == f"orkestra-bridge/{'ab' * 32}.zip"


def test_the_definition_is_an_object_unless_cloudformation_would_spoil_it() -> None:
    machine = of_type(stack().template, "StepFunctions::StateMachine")["StateMachine"]
    assert machine["Definition"] == DEFINITION
    assert machine["DefinitionSubstitutions"] == {
        "TasksFunctionArn": {"Fn::GetAtt": ["TasksFunction", "Arn"]}
    }
    for value in (None, [None], {"Ref": "x"}, {"Fn::Sub": "x"}):
        definition = {**DEFINITION, "States": {"load": {**DEFINITION["States"]["load"], "Output": value}}}
        template = stack(definition=definition).template
        machine = of_type(template, "StepFunctions::StateMachine")["StateMachine"]
        assert json.loads(machine["DefinitionString"]) == definition
        assert "Definition" not in machine
        assert check_template(template) == ()


def test_logs_have_an_end_and_state_machines_are_logged_and_traced() -> None:
    template = stack().template
    for group in of_type(template, "Logs::LogGroup").values():
        assert group["RetentionInDays"] == 30
    for machine in of_type(template, "StepFunctions::StateMachine").values():
        assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
        assert machine["TracingConfiguration"] == {"Enabled": True}
    for name in ("StateMachineLog", "TasksFunctionLog", "UndeliveredRuns"):
        assert template["Resources"][name]["DeletionPolicy"] == "Delete"
    assert template["Parameters"]["LogLevel"]["Default"] == "ALL"


def statements(template: Json) -> Iterator[tuple[Json, Json]]:
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::IAM::Role":
            for policy in resource["Properties"]["Policies"]:
                for statement in policy["PolicyDocument"]["Statement"]:
                    yield resource, statement


def test_a_star_needs_a_reason_and_no_action_has_one() -> None:
    starred = set()
    for role, statement in statements(stack("either").template):
        assert all("*" not in action for action in statement["Action"])
        if "*" in statement["Resource"]:
            starred.add(statement["Sid"])
            assert role["Metadata"]["orkestra-bridge"]["stars"][statement["Sid"]]
    assert starred == {"LogDelivery", "Tracing"}


def test_each_role_may_do_its_work_and_no_more() -> None:
    resources = stack().template["Resources"]
    rights = {
        name: {
            action: statement["Resource"]
            for statement in resources[name]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
            for action in statement["Action"]
            if "*" not in statement["Resource"]
        }
        for name in ("StateMachineRole", "TasksFunctionRole", "LauncherRole", "ScheduleRole")
    }
    log = [{"Fn::GetAtt": ["TasksFunctionLog", "Arn"]}]
    queue = [{"Fn::GetAtt": ["UndeliveredRuns", "Arn"]}]
    assert rights == {
        "StateMachineRole": {"lambda:InvokeFunction": [{"Fn::GetAtt": ["TasksFunction", "Arn"]}]},
        "TasksFunctionRole": {"logs:CreateLogStream": log, "logs:PutLogEvents": log},
        "LauncherRole": {"states:StartExecution": [{"Ref": "StateMachine"}], "sqs:SendMessage": queue},
        "ScheduleRole": {"states:StartExecution": [{"Ref": "Launcher"}], "sqs:SendMessage": queue},
    }


def test_services_act_for_their_own_account_only() -> None:
    resources = stack().template["Resources"]
    for name in ("StateMachineRole", "LauncherRole", "ScheduleRole"):
        [trust] = resources[name]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_names_and_texts_stay_within_the_limits() -> None:
    template = stack(dag_id="a" * 250, description="ü" * 2000).template
    assert len(template["Parameters"]["StateMachineName"]["Default"]) <= 80
    assert len(template["Description"].encode()) <= 1024
    assert diagnosed(template) <= ACKNOWLEDGED
    assert (
        stack(dag_id="etl.daily").template["Parameters"]["StateMachineName"]["Default"]
        == "etl_daily-97d3ec2b"
    )


def test_what_can_have_a_tag_names_the_dag() -> None:
    tag = {"Key": "orkestra-bridge:dag-id", "Value": "etl.daily"}
    for kind in (
        "Lambda::Function",
        "StepFunctions::StateMachine",
        "IAM::Role",
        "SQS::Queue",
        "Logs::LogGroup",
    ):
        for properties in of_type(stack().template, kind).values():
            assert properties["Tags"] == [tag]


def test_the_same_input_gives_the_same_bytes_and_the_definition_is_not_touched() -> None:
    before = json.dumps(DEFINITION)
    assert render(stack("either").template) == render(stack("either").template)
    assert json.dumps(DEFINITION) == before


def test_a_template_beyond_the_limit_is_refused() -> None:
    parts = {f"part-{number}": {**DEFINITION, "Comment": "x" * 4_000} for number in range(1, 300)}
    made = build_stack(workflow(), DEFINITION, FUNCTION, None, Target(), parts=parts)
    assert [finding.id for finding in made.findings] == ["OB512"]


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        (("Schedule", "ScheduleExpression"), "cron(0 5 * * *)", "is no expression"),
        (("Schedule", "ScheduleExpression"), "cron(0 5 * * * *)", "is no expression"),
        (("Schedule", "ScheduleExpression"), "cron(0 5 ? * ? *)", "exactly one"),
        (("Schedule", "ScheduleExpression"), "rate(0 hours)", "is no expression"),
        (("Schedule", "ScheduleExpressionTimezone"), "Mars/Base", "no time zone"),
        (("Schedule", "RoleArn"), {"Fn::GetAtt": ["Nobody", "Arn"]}, "Nobody is referred to"),
        (("TasksFunction", "Role"), {"Ref": "Nothing"}, "Nothing is referred to"),
        (("TasksFunction", "Role"), {"Fn::Sub": "${Nowhere.Arn}"}, "Nowhere is referred to"),
        (("TasksFunction", "Role"), {"Fn::If": ["Never", 1, 2]}, "condition Never"),
        (("StateMachine", "DefinitionSubstitutions"), {}, "nothing fills in ${TasksFunctionArn}"),
        (("StateMachine", "DefinitionSubstitutions"), {"TasksFunctionArn": 1, "More": 2}, "has no ${More}"),
    ],
)
def test_our_own_check_finds_faults(path: tuple[str, str], value: Any, fault: str) -> None:
    template = stack().template
    template["Resources"][path[0]]["Properties"][path[1]] = value
    assert any(fault in found for found in check_template(template))


def test_our_own_check_finds_parameters_without_a_use() -> None:
    template = stack().template
    template["Parameters"]["Spare"] = {"Type": "String"}
    assert check_template(template) == ("the parameter Spare is not used",)
