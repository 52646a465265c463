"""What images of the user's need on AWS that are run as they are: task definitions, two roles and a log.

The task's role has no rights but those of the user's policy: nothing of ours runs in the container.

Sources: Amazon ECS developer guide, "Task definition parameters for Fargate" and "Private registry authentication";
AWS Step Functions developer guide, "IAM policies for calling Amazon ECS/Fargate".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orkestra_bridge.lowering.container import REFERENCE
from orkestra_bridge.operators.images import (
    ImageDefinition,
    definitions_of,
    ecr_repository,
    image_logical,
    values_of,
)
from orkestra_bridge.runtime.container_log import PREFIX, VARIABLE
from orkestra_bridge.runtime.own_image import CONTAINER, RESULT_CONTAINER
from orkestra_bridge.stack.compute import HAS_POLICY, log_group
from orkestra_bridge.stack.iam import allow, role
from orkestra_bridge.stack.secret_access import cluster_parameter, read_cluster_values

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.options import Target

Json = dict[str, Any]

IMAGE_ROLE, PULL_ROLE, IMAGE_LOG = "ContainerImageRole", "ContainerPullRole", "ContainerImageLog"
HAS_CREDENTIALS, HAS_PULL_POLICY = "HasImageCredentials", "HasImagePullPolicy"
_PREPARES = "prepare"
"""The container that makes the folder for the result writable."""
_TOOLS = "public.ecr.aws/docker/library/busybox:1.37"
_PLACEHOLDER = re.compile(rf"Image\d+({REFERENCE})?")


def is_image_placeholder(name: str) -> bool:
    """Return True for a placeholder of a definition that stands for an image, or for its task definition."""
    return _PLACEHOLDER.fullmatch(name) is not None


def image_resources(workflow: Workflow, target: Target) -> dict[str, Json]:
    """Return the resources of the images that are run as they are, by logical id; none if there are none."""
    definitions = definitions_of(workflow)
    if not definitions:
        return {}
    return {
        **{
            image_logical(number): _definition(number, each, target)
            for number, each in enumerate(definitions)
        },
        IMAGE_ROLE: _task_role(),
        PULL_ROLE: _pull_role(definitions),
        IMAGE_LOG: log_group(target.log_retention_days),
    }


def image_parameters(workflow: Workflow) -> Json:
    """Return the parameters that name the images and how to get them."""
    definitions = definitions_of(workflow)
    if not definitions:
        return {}
    return {
        **{
            f"{image_logical(number)}{REFERENCE}": _reference(each) for number, each in enumerate(definitions)
        },
        "ImageCredentialsArn": {
            "Type": "String",
            "Description": "Secret of Secrets Manager with username and password of a private registry; empty for none",
            "Default": "",
        },
        "ImagePullPolicyArn": {
            "Type": "String",
            "Description": "Managed policy to pull from ECR repositories that the DAG does not name; empty for none",
            "Default": "",
        },
    }


def image_conditions(workflow: Workflow) -> Json:
    """Return the conditions about them."""
    if not definitions_of(workflow):
        return {}
    return {
        HAS_CREDENTIALS: {"Fn::Not": [{"Fn::Equals": [{"Ref": "ImageCredentialsArn"}, ""]}]},
        HAS_PULL_POLICY: {"Fn::Not": [{"Fn::Equals": [{"Ref": "ImagePullPolicyArn"}, ""]}]},
    }


def log_variable(workflow: Workflow) -> Json:
    """Return the function's variable that says where the images' output is."""
    return {VARIABLE: {"Ref": IMAGE_LOG}} if definitions_of(workflow) else {}


def log_rights(workflow: Workflow) -> list[Json]:
    """Return what the function needs to read the images' output, which is their result."""
    if not definitions_of(workflow):
        return []
    return [allow("ReadImageOutput", ("logs:GetLogEvents",), {"Fn::GetAtt": [IMAGE_LOG, "Arn"]})]


def wait_rights(cluster: Json) -> list[Json]:
    """Return what a state machine needs to wait for the end of a container, and to stop it."""
    tasks = {"Fn::Sub": "arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:task/*"}
    watch = allow("WatchContainers", ("ecs:DescribeTasks", "ecs:StopTask"), tasks)
    watch["Condition"] = {"ArnEquals": {"ecs:cluster": cluster}}
    rule = "rule/StepFunctionsGetEventsForECSTaskRule"
    hear = allow(
        "HearOfContainers",
        ("events:PutTargets", "events:PutRule", "events:DescribeRule"),
        {"Fn::Sub": f"arn:${{AWS::Partition}}:events:${{AWS::Region}}:${{AWS::AccountId}}:{rule}"},
    )
    return [watch, hear]


def fargate(target: Target, task_role: str, execution_role: str) -> Json:
    """Return what every task definition has; the roles by their logical ids. Each start overrides CPU and memory."""
    return {
        "RequiresCompatibilities": ["FARGATE"],
        "NetworkMode": "awsvpc",
        "Cpu": "512",
        "Memory": "1024",
        "RuntimePlatform": {
            "CpuArchitecture": "ARM64" if target.architecture == "arm64" else "X86_64",
            "OperatingSystemFamily": "LINUX",
        },
        "TaskRoleArn": {"Fn::GetAtt": [task_role, "Arn"]},
        "ExecutionRoleArn": {"Fn::GetAtt": [execution_role, "Arn"]},
    }


def _reference(definition: ImageDefinition) -> Json:
    if definition.reference is None:
        about = f"Image of task {definition.task_id}, which is a template there or a Variable"
        return {"Type": "String", "Description": about}
    return {
        "Type": "String",
        "Description": "Image that tasks run in; name a copy in a registry that the subnets reach, if need be",
        "Default": definition.reference,
    }


def _definition(number: int, definition: ImageDefinition, target: Target) -> Json:
    mounts = {"scratch": definition.scratch, "result": _folder(definition.result)}
    mounted = {name: path for name, path in mounts.items() if path}
    return {
        "Type": "AWS::ECS::TaskDefinition",
        "Properties": {
            **fargate(target, IMAGE_ROLE, PULL_ROLE),
            **({"Volumes": [{"Name": name} for name in mounted]} if mounted else {}),
            "ContainerDefinitions": [
                _container(number, definition, mounted),
                *(_around(definition.result) if definition.result else ()),
            ],
        },
    }


def _folder(path: str | None) -> str | None:
    return path.rpartition("/")[0] if path else None


def _container(number: int, definition: ImageDefinition, mounted: dict[str, str]) -> Json:
    given = {
        "EntryPoint": list(definition.entry_point) if definition.entry_point is not None else None,
        "WorkingDirectory": definition.working_directory,
        "User": definition.user,
        "PseudoTerminal": definition.terminal or None,
        "Secrets": [
            {"Name": each.variable, "ValueFrom": cluster_parameter(each)} for each in definition.values
        ]
        or None,
        "MountPoints": [{"SourceVolume": name, "ContainerPath": path} for name, path in mounted.items()]
        or None,
        "DependsOn": [{"ContainerName": _PREPARES, "Condition": "SUCCESS"}] if definition.result else None,
    }
    secret = {"CredentialsParameter": {"Ref": "ImageCredentialsArn"}}
    return {
        "Name": CONTAINER,
        "Image": {"Ref": f"{image_logical(number)}{REFERENCE}"},
        # where another one prints the result, that one ends the task
        "Essential": definition.result is None,
        "StopTimeout": 120,
        "RepositoryCredentials": {"Fn::If": [HAS_CREDENTIALS, secret, {"Ref": "AWS::NoValue"}]},
        **{name: value for name, value in given.items() if value is not None},
        "LogConfiguration": _logged(),
    }


def _around(result: str) -> list[Json]:
    """Return a container that lets any user write the result, and one that prints it when the image has ended."""
    folder = _folder(result)
    mount = [{"SourceVolume": "result", "ContainerPath": folder}]
    return [
        {
            "Name": _PREPARES,
            "Image": _TOOLS,
            "Essential": False,
            "Command": ["chmod", "1777", folder],
            "MountPoints": mount,
            "LogConfiguration": _logged(),
        },
        {
            "Name": RESULT_CONTAINER,
            "Image": _TOOLS,
            "Essential": True,
            "Command": ["sh", "-c", f"test ! -f {result} || cat {result}"],
            "MountPoints": mount,
            "DependsOn": [{"ContainerName": CONTAINER, "Condition": "COMPLETE"}],
            "LogConfiguration": _logged(),
        },
    ]


def _logged() -> Json:
    return {
        "LogDriver": "awslogs",
        "Options": {
            "awslogs-group": {"Ref": IMAGE_LOG},
            "awslogs-region": {"Ref": "AWS::Region"},
            "awslogs-stream-prefix": PREFIX,
        },
    }


def _task_role() -> Json:
    managed = {"Fn::If": [HAS_POLICY, [{"Ref": "TaskPolicyArn"}], {"Ref": "AWS::NoValue"}]}
    made = role("ecs-tasks.amazonaws.com", [], own_account_only=True, managed=managed)
    del made["Properties"]["Policies"]
    return made


def _pull_role(definitions: tuple[ImageDefinition, ...]) -> Json:
    write_log = allow(
        "WriteLog", ("logs:CreateLogStream", "logs:PutLogEvents"), {"Fn::GetAtt": [IMAGE_LOG, "Arn"]}
    )
    found = (ecr_repository(each.reference) for each in definitions if each.reference)
    repositories = sorted({each for each in found if each})
    statements = [write_log]
    if repositories:
        arns = [
            {"Fn::Sub": f"arn:${{AWS::Partition}}:ecr:{region}:{account}:repository/{name}"}
            for region, account, name in repositories
        ]
        pull = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
        statements += [
            allow("PullImage", pull, *arns),
            allow("LogInToRegistry", ("ecr:GetAuthorizationToken",), "*"),
        ]
    statements += read_cluster_values(values_of(definitions))
    secret = allow("ReadCredentials", ("secretsmanager:GetSecretValue",), {"Ref": "ImageCredentialsArn"})
    managed = {"Fn::If": [HAS_PULL_POLICY, [{"Ref": "ImagePullPolicyArn"}], {"Ref": "AWS::NoValue"}]}
    made = role("ecs-tasks.amazonaws.com", statements, own_account_only=False, managed=managed)
    policies = made["Properties"]["Policies"]
    document = {"Version": "2012-10-17", "Statement": [secret]}
    policies.append(
        {
            "Fn::If": [
                HAS_CREDENTIALS,
                {"PolicyName": "credentials", "PolicyDocument": document},
                {"Ref": "AWS::NoValue"},
            ]
        }
    )
    return made
