"""What a DAG with tasks in containers has on AWS: there only then, complete, and with no more rights than it needs."""

from __future__ import annotations

from typing import Any

import pytest
from stacks import ACKNOWLEDGED, FUNCTION, diagnosed, stack, statements, workflow
from workflows import a_task, a_workflow

from orkestra_bridge.ir.places import Container
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.options import Target
from orkestra_bridge.stack.check import check_template
from orkestra_bridge.stack.container import ImageAsset
from orkestra_bridge.stack.template import build_stack

LONG = a_task("a", container=Container(reason="it was asked for"))
CLUSTER = {
    "Fn::If": ["MakesCluster", {"Fn::GetAtt": ["ContainerCluster", "Arn"]}, {"Ref": "ContainerClusterArn"}]
}

Json = dict[str, Any]


@pytest.fixture(scope="module")
def template() -> Json:
    definition = lower(a_workflow(LONG)).definition
    dag = workflow("none", variables=("bucket",), tasks=(LONG,))
    image = ImageAsset(tag="0123456789abcdef")
    return build_stack(dag, definition, FUNCTION, None, Target(), images=[image]).template


def test_the_template_is_valid(template: Json) -> None:
    assert diagnosed(template) <= ACKNOWLEDGED
    assert check_template(template) == ()


def test_the_task_definition(template: Json) -> None:
    definition = template["Resources"]["ContainerTask"]["Properties"]
    assert definition["RequiresCompatibilities"] == ["FARGATE"]
    assert definition["RuntimePlatform"]["CpuArchitecture"] == "ARM64"
    [container] = definition["ContainerDefinitions"]
    assert container["Image"] == {
        "Fn::Join": [":", [{"Ref": "ContainerRepositoryUri"}, {"Ref": "ContainerImageTag"}]]
    }
    assert template["Parameters"]["ContainerImageTag"]["Default"] == "0123456789abcdef"
    function = template["Resources"]["TasksFunction"]["Properties"]["Environment"]["Variables"]
    assert {pair["Name"]: pair["Value"] for pair in container["Environment"]} == function
    assert "ORKESTRA_XCOM_STORE" in function


def test_the_machine_may_run_this_task_with_these_roles_and_nothing_else(template: Json) -> None:
    rights = statements(template, "StateMachineRole")
    assert rights["RunContainers"] == {
        "Sid": "RunContainers",
        "Effect": "Allow",
        "Action": ["ecs:RunTask"],
        "Resource": [{"Ref": "ContainerTask"}],
        "Condition": {"ArnEquals": {"ecs:cluster": CLUSTER}},
    }
    hand_over = rights["PassContainerRoles"]
    assert hand_over["Resource"] == [
        {"Fn::GetAtt": ["ContainerTaskRole", "Arn"]},
        {"Fn::GetAtt": ["ContainerExecutionRole", "Arn"]},
    ]
    assert hand_over["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}


def test_the_tasks_may_answer_their_own_machine_only(template: Json) -> None:
    answer, xcoms, *_ = statements(template, "ContainerTaskRole").values()
    assert xcoms["Action"] == ["s3:GetObject", "s3:PutObject"]
    assert answer["Action"] == [
        "states:SendTaskFailure",
        "states:SendTaskHeartbeat",
        "states:SendTaskSuccess",
    ]
    [machine] = answer["Resource"]
    assert machine["Fn::Sub"].endswith(":stateMachine:${StateMachineName}")


def test_the_image_is_pulled_from_the_repository_that_was_named(template: Json) -> None:
    rights = statements(template, "ContainerExecutionRole")
    text, values = rights["PullImage"]["Resource"][0]["Fn::Sub"]
    assert text.endswith(":ecr:${Region}:${Account}:repository/${Name}")
    uri = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/etl"
    assert evaluated(values, uri) == {"Region": "eu-west-1", "Account": "123456789012", "Name": "team/etl"}
    stars = template["Resources"]["ContainerExecutionRole"]["Metadata"]["orkestra-bridge"]["stars"]
    assert list(stars) == ["LogInToRegistry"]


def evaluated(value: Any, uri: str) -> Any:
    """Return what CloudFormation makes of Select and Split of the repository's URI."""
    if value == {"Ref": "ContainerRepositoryUri"}:
        return uri
    if isinstance(value, dict) and "Fn::Split" in value:
        separator, text = value["Fn::Split"]
        return evaluated(text, uri).split(separator)
    if isinstance(value, dict) and "Fn::Select" in value:
        index, items = value["Fn::Select"]
        return evaluated(items, uri)[index]
    return {name: evaluated(item, uri) for name, item in value.items()}


def test_the_function_hears_of_stopped_tasks_and_may_report_them(template: Json) -> None:
    rule = template["Resources"]["ContainerStopped"]["Properties"]
    assert rule["EventPattern"]["detail"] == {
        "lastStatus": ["STOPPED"],
        "clusterArn": [CLUSTER],
        "taskDefinitionArn": [{"Ref": "ContainerTask"}],
    }
    assert rule["Targets"] == [{"Id": "Function", "Arn": {"Fn::GetAtt": ["TasksFunction", "Arn"]}}]
    permission = template["Resources"]["ContainerStoppedPermission"]["Properties"]
    assert permission["SourceArn"] == {"Fn::GetAtt": ["ContainerStopped", "Arn"]}
    report = statements(template, "TasksFunctionRole")["ReportStoppedContainers"]
    assert report["Action"] == ["states:SendTaskFailure"]


def test_a_cluster_is_made_only_where_none_is_named(template: Json) -> None:
    assert template["Resources"]["ContainerCluster"]["Condition"] == "MakesCluster"
    assert template["Conditions"]["MakesCluster"] == {"Fn::Equals": [{"Ref": "ContainerClusterArn"}, ""]}


def test_without_containers_there_is_none_of_it() -> None:
    text = str(stack(layer=False).template)
    assert "Container" not in text
    assert "ecs" not in text
