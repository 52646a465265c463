"""Everything of one DAG on AWS, as a CloudFormation template."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from orkestra_bridge.ir.model import ScheduleKind
from orkestra_bridge.ir.stored import keys_of_history
from orkestra_bridge.lowering.functions import LONGEST, own_functions
from orkestra_bridge.naming import machine_name, shorten
from orkestra_bridge.operators.images import definitions_of, values_of
from orkestra_bridge.stack.asset_bus import bus_parameter, makes_events
from orkestra_bridge.stack.asset_history import history_resources
from orkestra_bridge.stack.compute import HAS_POLICY, compute_resources, task_layer
from orkestra_bridge.stack.container import (
    cluster_resource,
    container_conditions,
    container_parameters,
    container_resources,
    function_rights,
)
from orkestra_bridge.stack.definitions import move_out
from orkestra_bridge.stack.events import event_parameters, event_resources
from orkestra_bridge.stack.images import (
    image_conditions,
    image_parameters,
    image_resources,
    log_rights,
    log_variable,
)
from orkestra_bridge.stack.machine import MACHINE, machine_definitions, machine_resources, name_limit
from orkestra_bridge.stack.model import Stack
from orkestra_bridge.stack.other_dags import machine_parameters
from orkestra_bridge.stack.queue import queue_of_rules
from orkestra_bridge.stack.rules import TEMPLATE_TOO_LARGE
from orkestra_bridge.stack.schedule import schedule_view
from orkestra_bridge.stack.scheduling import HAS_MOMENT, is_scheduled, scheduling_resources
from orkestra_bridge.stack.secret_access import PREFIX_PARAMETER, access_findings, looks_up, prefix_parameter
from orkestra_bridge.stack.settings import setting_findings, setting_parameters, settings_of
from orkestra_bridge.stack.states import state_parameters
from orkestra_bridge.stack.xcoms import may_push, xcom_condition, xcom_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.options import Target
    from orkestra_bridge.stack.container import ImageAsset
    from orkestra_bridge.stack.model import FunctionAsset, LayerAsset, ScheduleView

TEMPLATE_LIMIT = 1_000_000
"""Bytes of a template in S3 (AWS: "CloudFormation quotas")."""
_TAGGED = frozenset(
    {
        "AWS::DynamoDB::Table",
        "AWS::ECS::Cluster",
        "AWS::ECS::TaskDefinition",
        "AWS::Events::Rule",
        "AWS::IAM::Role",
        "AWS::Lambda::Function",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::SQS::Queue",
        "AWS::StepFunctions::StateMachine",
    }
)
_KEY_PREFIX = "orkestra-bridge/"

Json = dict[str, Any]
NO_PARTS: Mapping[str, Json] = {}
NO_LAYERS: Mapping[int, LayerAsset] = {}


def build_stack(
    workflow: Workflow,
    definition: Json,
    function: FunctionAsset,
    layer: LayerAsset | None,
    target: Target,
    *,
    parts: Mapping[str, Json] = NO_PARTS,
    images: Sequence[ImageAsset] = (),
    task_layers: Mapping[int, LayerAsset] = NO_LAYERS,
) -> Stack:
    """Return the template of a DAG, its schedule and what there is to say about both.

    ``definition`` is the ASL of `lower`, with ``${TasksFunctionArn}`` to be filled in, and ``${JoinsTable}`` if it has
    joins; ``parts`` has those of the parts by name. ``images`` are those that are built for tasks in containers,
    ``task_layers`` the layers of tasks with packages of their own, by number. The template is complete: with the
    packages, and the definitions that it has no room for, in the bucket ``AssetBucket``, and the image in its repository,
    it can be deployed as it is.
    """
    view, findings = schedule_view(workflow)
    contained = any(task.container is not None for task in workflow.tasks)
    rights = [*(function_rights(tuple(parts)) if images else ()), *log_rights(workflow)]
    resources = {
        **compute_resources(
            workflow,
            function,
            layer,
            target,
            rights=rights,
            more_variables=log_variable(workflow),
            more=_more_functions(workflow, function),
            task_layers=task_layers,
        ),
        **machine_resources(definition, function, target.log_retention_days, parts),
        **container_resources(workflow, f"{function.logical}Function", target, images, tuple(parts)),
        **image_resources(workflow, target),
        **(cluster_resource() if contained else {}),
        **scheduling_resources(workflow, view, f"{function.logical}Function"),
        **event_resources(workflow.dag_id, view),
        **history_resources(workflow),
    }
    resources.update(queue_of_rules(resources))
    for resource in resources.values():
        if resource["Type"] in _TAGGED:
            resource["Properties"]["Tags"] = [{"Key": "orkestra-bridge:dag-id", "Value": workflow.dag_id}]
    template: Json = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": _description(workflow),
        "Parameters": {
            **_parameters(workflow, function, view, name_limit(len(parts))),
            **_layer_parameters(layer, task_layers),
            **(container_parameters(images) if contained else {}),
            **image_parameters(workflow),
        },
        "Conditions": {
            **_conditions(workflow, view),
            **(container_conditions() if contained else {}),
            **image_conditions(workflow),
        },
        "Resources": resources,
        "Outputs": _outputs(function),
    }
    moved = move_out(template, machine_definitions(definition, parts))
    found = (
        *findings,
        *setting_findings(workflow),
        *access_findings(workflow),
        *_too_large(workflow, template),
    )
    return Stack(template=template, findings=found, schedule=view, definitions=moved)


def _more_functions(workflow: Workflow, function: FunctionAsset) -> list[FunctionAsset]:
    """Return the functions for single tasks, which differ from the DAG's in memory, timeout and layer."""
    return [
        replace(
            function,
            logical=name,
            memory=given.memory or function.memory,
            timeout=min(given.timeout or function.timeout, LONGEST),
            packages=given.packages.number if given.packages and given.imports else None,
        )
        for name, given in own_functions(workflow).items()
    ]


def _description(workflow: Workflow) -> str:
    text = f"Airflow DAG {workflow.dag_id}: {workflow.description or 'translated to AWS Step Functions'}"
    # CloudFormation allows 1,024 bytes
    return text.encode()[:1024].decode(errors="ignore")


def _layer_parameters(layer: LayerAsset | None, task_layers: Mapping[int, LayerAsset]) -> Json:
    parameters: Json = {}
    if layer is not None:
        parameters["LayerKey"] = _key(layer.key_hash, "S3 key of the layer with third-party packages")
    for number, each in sorted(task_layers.items()):
        description = f"S3 key of the layer for the tasks with requirements-{number}.txt"
        parameters[f"{task_layer(number)}Key"] = _key(each.key_hash, description)
    return parameters


def _parameters(workflow: Workflow, function: FunctionAsset, view: ScheduleView, longest: int) -> Json:
    parameters: Json = {
        "AssetBucket": {
            "Type": "String",
            "Description": "S3 bucket that has the packages",
            "AllowedPattern": "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
        },
        f"{function.logical}CodeKey": _key(function.key_hash, "S3 key of the package with the tasks"),
        "StateMachineName": {
            "Type": "String",
            "Description": "Name of the state machine, unique in account and region",
            "Default": shorten(machine_name(workflow.dag_id), longest),
            "AllowedPattern": "[A-Za-z0-9_-]+",
            "MaxLength": longest,
        },
        "LogLevel": {
            "Type": "String",
            "Description": "Which events of the state machines go to CloudWatch Logs",
            "Default": "ALL",
            "AllowedValues": ["ALL", "ERROR", "FATAL", "OFF"],
        },
        "TaskPolicyArn": {
            "Type": "String",
            "Description": "Managed policy for what the tasks themselves do on AWS; empty for none",
            "Default": "",
        },
    }
    if looks_up(workflow.needs) or values_of(definitions_of(workflow)):
        parameters[PREFIX_PARAMETER] = prefix_parameter()
    settings = setting_parameters(settings_of(workflow))
    xcoms = xcom_parameters(workflow) if may_push(workflow) else {}
    machines = machine_parameters(workflow)
    machines |= state_parameters(workflow)
    uses_bus = view.assets or makes_events(workflow) or keys_of_history(workflow)
    bus = bus_parameter() if uses_bus else {}
    return {
        **parameters, **xcoms, **machines, **bus, **settings, **_schedule_parameters(view), **event_parameters(view),
    }  # fmt: skip


def _key(key_hash: str, description: str) -> Json:
    return {"Type": "String", "Description": description, "Default": f"{_KEY_PREFIX}{key_hash}.zip"}


def _schedule_parameters(view: ScheduleView) -> Json:
    if not is_scheduled(view):
        return {}
    parameters: Json = {
        "ScheduleState": {
            "Type": "String",
            "Description": "DISABLED keeps runs from being started by the schedule",
            "Default": view.state,
            "AllowedValues": ["ENABLED", "DISABLED"],
        }
    }
    if view.kind is ScheduleKind.ONCE:
        parameters["RunOnceAt"] = {
            "Type": "String",
            "Description": "When to start the single run: UTC, to come, yyyy-mm-ddThh:mm:ss; empty for never",
            "Default": "",
            "AllowedPattern": r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d",
        }
    return parameters


def _conditions(workflow: Workflow, view: ScheduleView) -> Json:
    conditions = {HAS_POLICY: _given("TaskPolicyArn"), **(xcom_condition() if may_push(workflow) else {})}
    for setting in settings_of(workflow):
        conditions[setting.condition] = _given(setting.parameter)
    if view.kind is ScheduleKind.ONCE:
        conditions[HAS_MOMENT] = _given("RunOnceAt")
    return conditions


def _given(parameter: str) -> Json:
    return {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]}


def _outputs(function: FunctionAsset) -> Json:
    return {
        "StateMachineArn": {"Description": "Start runs of it", "Value": {"Ref": MACHINE}},
        f"{function.logical}FunctionArn": {
            "Description": "Runs the tasks",
            "Value": {"Fn::GetAtt": [f"{function.logical}Function", "Arn"]},
        },
    }


def _too_large(workflow: Workflow, template: Json) -> tuple[Finding, ...]:
    size = len(orjson.dumps(template))
    if size <= TEMPLATE_LIMIT:
        return ()
    message = f"the template has {size} bytes, CloudFormation takes {TEMPLATE_LIMIT}"
    return (
        TEMPLATE_TOO_LARGE.at(workflow.span, message, "split the DAG into several", dag_id=workflow.dag_id),
    )
