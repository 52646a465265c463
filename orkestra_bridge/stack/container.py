"""What tasks in containers need on AWS: a task definition, two roles, a log, a cluster, and notice of stopped tasks.

Only DAGs with such tasks have it. The image is not part of the stack: it is pushed to a repository of the user's.

Sources: AWS Step Functions developer guide, "IAM policies for calling Amazon ECS/Fargate"; Amazon ECS developer guide,
"Task execution IAM role" and "Task state change events".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from orkestra_bridge.lowering.container import (
    CLUSTER,
    CONTAINER,
    PLACE,
    PUBLIC_IP,
    REFERENCE,
    SECURITY_GROUPS,
    SUBNETS,
)
from orkestra_bridge.runtime.stopped import EVENT_TYPE
from orkestra_bridge.stack.compute import HAS_POLICY, log_group, task_rights, task_variables
from orkestra_bridge.stack.iam import allow, own_machines, role
from orkestra_bridge.stack.images import (
    IMAGE_ROLE,
    PULL_ROLE,
    fargate,
    is_image_placeholder,
    wait_rights,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.options import Target

Json = dict[str, Any]

TASK, TASK_ROLE, EXECUTION_ROLE, LOG, NEW_CLUSTER, STOPPED = (
    "ContainerTask",
    "ContainerTaskRole",
    "ContainerExecutionRole",
    "ContainerLog",
    "ContainerCluster",
    "ContainerStopped",
)
OWN_CLUSTER = "MakesCluster"
_CLUSTER_ARN: Json = {
    "Fn::If": [OWN_CLUSTER, {"Fn::GetAtt": [NEW_CLUSTER, "Arn"]}, {"Ref": "ContainerClusterArn"}]
}
_STARTS_BUILT = re.compile(rf"{TASK}\d*")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ImageAsset:
    """An image that is to be built and pushed; ``suffix`` is behind the names of what belongs to it."""

    tag: str
    suffix: str = ""


def is_container_placeholder(name: str) -> bool:
    """Return True for a placeholder of a definition that is about containers of either kind."""
    return f"${{{name}}}" in PLACE or starts_built(name) or is_image_placeholder(name)


def starts_built(name: str) -> bool:
    """Return True for the placeholder of a task definition with an image that is built."""
    return _STARTS_BUILT.fullmatch(name) is not None


def container_resources(
    workflow: Workflow,
    function: str,
    target: Target,
    images: Sequence[ImageAsset],
    parts: tuple[str, ...] = (),
) -> dict[str, Json]:
    """Return the resources for tasks in containers of images that are built; none if there are none.

    ``function`` is the logical id of the DAG's function, ``parts`` are the names of the state machines of its parts.
    """
    if not images:
        return {}
    machines = own_machines(["", *parts])
    return {
        **{f"{TASK}{image.suffix}": _definition(workflow, target, image) for image in images},
        TASK_ROLE: _task_role(machines, task_rights(workflow)),
        EXECUTION_ROLE: _execution_role(),
        LOG: log_group(target.log_retention_days),
        STOPPED: _stopped_rule(function, images),
        f"{STOPPED}Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": {"Ref": function},
                "Action": "lambda:InvokeFunction",
                "Principal": "events.amazonaws.com",
                "SourceArn": {"Fn::GetAtt": [STOPPED, "Arn"]},
            },
        },
    }


def cluster_resource() -> dict[str, Json]:
    """Return the cluster of all containers, where the user names none."""
    return {NEW_CLUSTER: _cluster()}


def container_value(name: str) -> Json:
    """Return what the stack fills in for a placeholder about containers."""
    values: Json = {
        CLUSTER: _CLUSTER_ARN,
        SUBNETS: {"Fn::Join": [",", {"Ref": "SubnetIds"}]},
        SECURITY_GROUPS: {"Fn::Join": [",", {"Ref": "SecurityGroupIds"}]},
        PUBLIC_IP: {"Ref": "AssignPublicIp"},
    }
    found: Json = values.get(f"${{{name}}}", {"Ref": name})
    return found


def container_parameters(images: Sequence[ImageAsset]) -> Json:
    """Return the parameters that say where images that are built and the containers are."""
    built: Json = {
        "ContainerRepositoryUri": {
            "Type": "String",
            "Description": "ECR repository of the image, without a tag",
            "AllowedPattern": r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/[a-z0-9][a-z0-9._/-]*",
        },
        **{f"ContainerImageTag{image.suffix}": _tag_parameter(image) for image in images},
    }
    return {**(built if images else {}), **_PLACE_PARAMETERS}


def _tag_parameter(image: ImageAsset) -> Json:
    folder = f"container{image.suffix and '-'}{image.suffix}"
    return {
        "Type": "String",
        "Description": f"Tag of the image, which is built from the folder {folder}/",
        "Default": image.tag,
    }


_PLACE_PARAMETERS: Json = {
    "ContainerClusterArn": {
        "Type": "String",
        "Description": "ECS cluster that runs the containers; empty to make one",
        "Default": "",
    },
    "SubnetIds": {
        "Type": "CommaDelimitedList",
        "Description": "Subnets of the containers; they need a way to ECR, CloudWatch Logs and Step Functions",
    },
    "SecurityGroupIds": {
        "Type": "CommaDelimitedList",
        "Description": "Security groups of the containers; empty for the default one of the VPC",
        "Default": "",
    },
    "AssignPublicIp": {
        "Type": "String",
        "Description": "ENABLED if the subnets are public and have no NAT gateway or endpoints",
        "Default": "DISABLED",
        "AllowedValues": ["DISABLED", "ENABLED"],
    },
}


def container_conditions() -> Json:
    """Return the condition under which the stack makes a cluster."""
    return {OWN_CLUSTER: {"Fn::Equals": [{"Ref": "ContainerClusterArn"}, ""]}}


def machine_rights(placeholders: Sequence[str]) -> list[Json]:
    """Return what a state machine needs to start the containers that it names."""
    built = [name for name in placeholders if starts_built(name)]
    own = [name for name in placeholders if is_image_placeholder(name) and not name.endswith(REFERENCE)]
    if not built and not own:
        return []
    run = allow("RunContainers", ("ecs:RunTask",), *({"Ref": name} for name in [*built, *own]))
    run["Condition"] = {"ArnEquals": {"ecs:cluster": _CLUSTER_ARN}}
    names = [*((TASK_ROLE, EXECUTION_ROLE) if built else ()), *((IMAGE_ROLE, PULL_ROLE) if own else ())]
    hand_over = allow(
        "PassContainerRoles", ("iam:PassRole",), *({"Fn::GetAtt": [name, "Arn"]} for name in names)
    )
    hand_over["Condition"] = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    return [run, hand_over, *(wait_rights(_CLUSTER_ARN) if own else ())]


def function_rights(parts: tuple[str, ...] = ()) -> list[Json]:
    """Return what the function needs to report a container that has stopped."""
    return [allow("ReportStoppedContainers", ("states:SendTaskFailure",), *own_machines(["", *parts]))]


def _definition(workflow: Workflow, target: Target, image: ImageAsset) -> Json:
    tag = f"ContainerImageTag{image.suffix}"
    return {
        "Type": "AWS::ECS::TaskDefinition",
        "Properties": {
            **fargate(target, TASK_ROLE, EXECUTION_ROLE),
            "ContainerDefinitions": [
                {
                    "Name": CONTAINER,
                    "Image": {"Fn::Join": [":", [{"Ref": "ContainerRepositoryUri"}, {"Ref": tag}]]},
                    "Essential": True,
                    # an init process reaps what commands of the task leave behind and hands signals on
                    "LinuxParameters": {"InitProcessEnabled": True},
                    "StopTimeout": 120,
                    "Environment": [
                        _variable(name, value) for name, value in task_variables(workflow).items()
                    ],
                    "LogConfiguration": {
                        "LogDriver": "awslogs",
                        "Options": {
                            "awslogs-group": {"Ref": LOG},
                            "awslogs-region": {"Ref": "AWS::Region"},
                            "awslogs-stream-prefix": "task",
                        },
                    },
                }
            ],
        },
    }


def _variable(name: str, value: Any) -> Json:
    """Return an item of a container's environment, which is left out where the function's variable would be."""
    if isinstance(value, dict) and "Fn::If" in value:
        condition, given, left_out = value["Fn::If"]
        return {"Fn::If": [condition, {"Name": name, "Value": given}, left_out]}
    return {"Name": name, "Value": value}


def _task_role(machines: list[Json], rights: list[Json]) -> Json:
    """Return the role of the tasks themselves: to answer, and whatever the user's policy allows besides."""
    answer = allow(
        "AnswerStateMachine",
        ("states:SendTaskFailure", "states:SendTaskHeartbeat", "states:SendTaskSuccess"),
        *machines,
    )
    managed = {"Fn::If": [HAS_POLICY, [{"Ref": "TaskPolicyArn"}], {"Ref": "AWS::NoValue"}]}
    return role("ecs-tasks.amazonaws.com", [answer, *rights], own_account_only=True, managed=managed)


def _execution_role() -> Json:
    pull = allow(
        "PullImage",
        ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
        _repository_arn(),
    )
    login = allow("LogInToRegistry", ("ecr:GetAuthorizationToken",), "*")
    write_log = allow("WriteLog", ("logs:CreateLogStream", "logs:PutLogEvents"), {"Fn::GetAtt": [LOG, "Arn"]})
    return role("ecs-tasks.amazonaws.com", [pull, login, write_log], own_account_only=False)


def _repository_arn() -> Json:
    """Return the ARN of the repository that the URI names: account and region stand in its host name."""
    uri: Json = {"Ref": "ContainerRepositoryUri"}
    host = {"Fn::Split": [".", uri]}
    return {
        "Fn::Sub": [
            "arn:${AWS::Partition}:ecr:${Region}:${Account}:repository/${Name}",
            {
                "Region": {"Fn::Select": [3, host]},
                "Account": {"Fn::Select": [0, host]},
                "Name": {"Fn::Select": [1, {"Fn::Split": [".amazonaws.com/", uri]}]},
            },
        ]
    }


def _cluster() -> Json:
    return {"Type": "AWS::ECS::Cluster", "Condition": OWN_CLUSTER, "Properties": {}}


def _stopped_rule(function: str, images: Sequence[ImageAsset]) -> Json:
    """Return the rule that sends ECS's event about a stopped task of ours to the function."""
    return {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "Description": {"Fn::Sub": "Containers of ${StateMachineName} that have stopped"},
            "EventPattern": {
                "source": ["aws.ecs"],
                "detail-type": [EVENT_TYPE],
                "detail": {
                    "lastStatus": ["STOPPED"],
                    "clusterArn": [_CLUSTER_ARN],
                    "taskDefinitionArn": [{"Ref": f"{TASK}{image.suffix}"} for image in images],
                },
            },
            "Targets": [{"Id": "Function", "Arn": {"Fn::GetAtt": [function, "Arn"]}}],
        },
    }
