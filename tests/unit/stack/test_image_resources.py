"""What a DAG with images of the user's has on AWS: a task definition for each, and no more rights than they need."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from stacks import ACKNOWLEDGED, FUNCTION, diagnosed, statements, workflow
from workflows import DOCKER, POD, a_task

from orkestra_bridge.ir.places import ClusterValue, Image
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.options import Target
from orkestra_bridge.passes.placement import place
from orkestra_bridge.stack.check import check_template
from orkestra_bridge.stack.container import ImageAsset
from orkestra_bridge.stack.secret_access import read_cluster_values
from orkestra_bridge.stack.template import build_stack

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/etl:1"
CLUSTER = {
    "Fn::If": ["MakesCluster", {"Fn::GetAtt": ["ContainerCluster", "Arn"]}, {"Ref": "ContainerClusterArn"}]
}
TOKEN = ClusterValue(argument="secrets", kind="secret", name="etl", key="token", variable="TOKEN")
REGION = ClusterValue(argument="env_vars", kind="configmap", name="site", key="re.gion", variable="REGION")
TASKS = (
    a_task(
        "a",
        operator="DockerOperator",
        image=Image(kind="docker", executed_by=DOCKER, reference=ECR, scratch="/tmp/airflow", user="10"),
    ),
    a_task(
        "b",
        operator="KubernetesPodOperator",
        image=Image(
            kind="kubernetes",
            executed_by=POD,
            reference="{{ params.image }}",
            entry_point=("bash", "-c"),
            result="/airflow/xcom/return.json",
            cluster=(TOKEN, REGION, ClusterValue(argument="secrets", kind="secret", name="whole")),
        ),
    ),
)

Json = dict[str, Any]


@pytest.fixture(scope="module")
def template() -> Json:
    dag = place(workflow("none", tasks=TASKS))
    return build_stack(dag, lower(dag).definition, FUNCTION, None, Target()).template


def test_the_template_is_valid(template: Json) -> None:
    # SecretsPrefix is in front of names, and no password
    assert diagnosed(template) <= ACKNOWLEDGED | {("WARN", "W2509")}
    assert check_template(template) == ()


def test_each_image_has_a_task_definition_and_a_parameter(template: Json) -> None:
    first = template["Resources"]["Image1"]["Properties"]
    [container] = first["ContainerDefinitions"]
    assert container["Image"] == {"Ref": "Image1Uri"}
    assert template["Parameters"]["Image1Uri"]["Default"] == ECR
    assert "Default" not in template["Parameters"]["Image2Uri"]
    assert (container["User"], container["Essential"]) == ("10", True)
    assert "EntryPoint" not in container
    assert container["MountPoints"] == [{"SourceVolume": "scratch", "ContainerPath": "/tmp/airflow"}]
    assert first["Volumes"] == [{"Name": "scratch"}]


def test_a_result_in_a_file_is_printed_when_the_image_has_ended(template: Json) -> None:
    containers = template["Resources"]["Image2"]["Properties"]["ContainerDefinitions"]
    own, before, after = containers
    assert own["EntryPoint"] == ["bash", "-c"]
    assert [each["Essential"] for each in containers] == [False, False, True]
    assert own["DependsOn"] == [{"ContainerName": before["Name"], "Condition": "SUCCESS"}]
    assert after["DependsOn"] == [{"ContainerName": "task", "Condition": "COMPLETE"}]
    assert {each["MountPoints"][0]["ContainerPath"] for each in containers} == {"/airflow/xcom"}


def test_what_a_cluster_keeps_is_had_from_parameter_store(template: Json) -> None:
    arns = [
        {
            "Fn::Sub": "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/"
            f"${{SecretsPrefix}}/{place}"
        }
        for place in ("kubernetes-secrets/etl/token", "kubernetes-configmaps/site/re.gion")
    ]
    own = template["Resources"]["Image2"]["Properties"]["ContainerDefinitions"][0]
    assert own["Secrets"] == [
        {"Name": "TOKEN", "ValueFrom": arns[0]},
        {"Name": "REGION", "ValueFrom": arns[1]},
    ]
    read = statements(template, "ContainerPullRole")["ReadClusterValues"]
    assert (read["Action"], read["Resource"]) == (["ssm:GetParameters"], [arns[1], arns[0]])
    assert template["Parameters"]["SecretsPrefix"]["Default"] == "orkestra-bridge"
    assert "Secrets" not in template["Resources"]["Image1"]["Properties"]["ContainerDefinitions"][0]
    assert "ReadSecrets" not in statements(template, "TasksFunctionRole")


def test_many_keys_of_an_object_are_read_by_its_name() -> None:
    values = [replace(TOKEN, key=f"key_{number}", variable=f"V{number}") for number in range(41)]
    [statement] = read_cluster_values([*values, REGION])
    ends = [each["Fn::Sub"].partition("${SecretsPrefix}/")[2] for each in statement["Resource"]]
    assert ends == ["kubernetes-configmaps/site/*", "kubernetes-secrets/etl/*"]
    [statement] = read_cluster_values(values[:39])
    assert len(statement["Resource"]) == 39


def test_nothing_of_ours_is_there_for_images_alone(template: Json) -> None:
    assert "ContainerTask" not in template["Resources"]
    assert "ContainerRepositoryUri" not in template["Parameters"]
    assert "ContainerStopped" not in template["Resources"]
    assert "ContainerCluster" in template["Resources"]


def test_the_images_have_no_rights_but_those_that_the_user_gives(template: Json) -> None:
    role = template["Resources"]["ContainerImageRole"]["Properties"]
    assert "Policies" not in role
    assert role["ManagedPolicyArns"]["Fn::If"][1] == [{"Ref": "TaskPolicyArn"}]


def test_images_are_pulled_from_the_repositories_that_the_dag_names(template: Json) -> None:
    rights = statements(template, "ContainerPullRole")
    assert rights["PullImage"]["Resource"] == [
        {"Fn::Sub": "arn:${AWS::Partition}:ecr:eu-west-1:123456789012:repository/team/etl"}
    ]
    assert list(template["Resources"]["ContainerPullRole"]["Metadata"]["orkestra-bridge"]["stars"]) == [
        "LogInToRegistry"
    ]
    credentials = template["Resources"]["ContainerPullRole"]["Properties"]["Policies"][1]["Fn::If"]
    [secret] = credentials[1]["PolicyDocument"]["Statement"]
    assert (credentials[0], secret["Resource"]) == ("HasImageCredentials", [{"Ref": "ImageCredentialsArn"}])


def test_the_machine_may_run_and_stop_these_images_and_nothing_else(template: Json) -> None:
    rights = statements(template, "StateMachineRole")
    assert rights["RunContainers"]["Resource"] == [{"Ref": "Image1"}, {"Ref": "Image2"}]
    assert rights["PassContainerRoles"]["Resource"] == [
        {"Fn::GetAtt": ["ContainerImageRole", "Arn"]},
        {"Fn::GetAtt": ["ContainerPullRole", "Arn"]},
    ]
    assert rights["WatchContainers"]["Condition"] == {"ArnEquals": {"ecs:cluster": CLUSTER}}
    [rule] = rights["HearOfContainers"]["Resource"]
    assert rule["Fn::Sub"].endswith(":rule/StepFunctionsGetEventsForECSTaskRule")


def test_the_function_reads_what_they_print(template: Json) -> None:
    rights = statements(template, "TasksFunctionRole")
    assert rights["ReadImageOutput"]["Resource"] == [{"Fn::GetAtt": ["ContainerImageLog", "Arn"]}]
    variables = template["Resources"]["TasksFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["ORKESTRA_IMAGE_LOG"] == {"Ref": "ContainerImageLog"}


def test_images_built_on_the_users_have_tags_of_their_own() -> None:
    function = a_task(
        "f",
        operator="_DockerDecoratedOperator",
        bases=("airflow.providers.docker.decorators.docker._DockerDecoratedOperator", *TASKS[0].bases),
        image=Image(kind="docker", executed_by=DOCKER, reference="python:3.12", python=True),
    )
    dag = place(workflow("none", tasks=(function, a_task("g"))), {"g": "container"})
    images = [ImageAsset(tag="11", suffix="2"), ImageAsset(tag="22")]
    found = build_stack(dag, lower(dag).definition, FUNCTION, None, Target(), images=images).template
    tags = [found["Parameters"][name]["Default"] for name in ("ContainerImageTag", "ContainerImageTag2")]
    assert tags == ["22", "11"]
    [container] = found["Resources"]["ContainerTask2"]["Properties"]["ContainerDefinitions"]
    assert container["Image"]["Fn::Join"][1][1] == {"Ref": "ContainerImageTag2"}
    rights = statements(found, "StateMachineRole")["RunContainers"]["Resource"]
    assert sorted(each["Ref"] for each in rights) == ["ContainerTask", "ContainerTask2"]
