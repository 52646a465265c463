"""The Lambda function that runs the tasks, its role, its log and its layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orkestra_bridge.stack.asset_bus import event_rights, event_variable, makes_events
from orkestra_bridge.stack.iam import allow, role, tracing
from orkestra_bridge.stack.other_dags import machine_rights, machine_variables
from orkestra_bridge.stack.secret_access import read_values, runtime_environment
from orkestra_bridge.stack.settings import environment, settings_of
from orkestra_bridge.stack.states import (
    history_rights,
    history_variables,
    state_resources,
    state_rights,
    state_variables,
)
from orkestra_bridge.stack.xcoms import may_push, xcom_resources, xcom_rights, xcom_variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.options import Target
    from orkestra_bridge.stack.model import FunctionAsset, LayerAsset

LAYER = "DependenciesLayer"
HAS_POLICY = "HasTaskPolicy"

Json = dict[str, Any]


def compute_resources(
    workflow: Workflow,
    function: FunctionAsset,
    layer: LayerAsset | None,
    target: Target,
    *,
    rights: Sequence[Json] = (),
    more_variables: Json | None = None,
    more: Sequence[FunctionAsset] = (),
    task_layers: Iterable[int] = (),
) -> dict[str, Json]:
    """Return the resources that run the DAG's tasks, by logical id.

    ``rights`` are more statements for the functions' role, ``more_variables`` are of their environment alone; ``more``
    are functions for single tasks, which differ in memory, timeout and layer and have the rest in common;
    ``task_layers`` are the numbers of the packages for which there are layers.
    """
    dag_id, stores = workflow.dag_id, may_push(workflow)
    variables = {**task_variables(workflow), **(more_variables or {})}
    name, role_name, log_name = (
        f"{function.logical}{suffix}" for suffix in ("Function", "FunctionRole", "FunctionLog")
    )
    resources = {
        name: _function(dag_id, function, target, role_name, log_name),
        role_name: _role(log_name, [*task_rights(workflow), *rights]),
        log_name: log_group(target.log_retention_days),
        **(xcom_resources() if stores else {}),
        **state_resources(workflow),
    }
    resources[name]["Properties"]["Environment"] = {"Variables": variables}
    if layer is not None:
        resources[name]["Properties"]["Layers"] = [{"Ref": LAYER}]
        resources[LAYER] = _layer(dag_id, target, "LayerKey")
    numbers = sorted(task_layers)
    for each in more:
        properties = {**resources[name]["Properties"], "MemorySize": each.memory, "Timeout": each.timeout}
        if each.packages is not None:
            properties.pop("Layers", None)
        if each.packages in numbers:
            properties["Layers"] = [{"Ref": task_layer(each.packages)}]
        resources[f"{each.logical}Function"] = {**resources[name], "Properties": properties}
    for number in numbers:
        resources[task_layer(number)] = _layer(dag_id, target, f"{task_layer(number)}Key")
    return resources


def task_layer(number: int) -> str:
    """Return the logical id of the layer with the packages of some tasks; ``Key`` behind it makes its parameter's."""
    return f"Requirements{number}Layer"


def task_variables(workflow: Workflow) -> Json:
    """Return the environment variables that tasks run with, wherever they run."""
    return {
        **runtime_environment(workflow.needs),
        **environment(settings_of(workflow)),
        **(xcom_variable() if may_push(workflow) else {}),
        **state_variables(workflow),
        **history_variables(workflow),
        **machine_variables(workflow),
        **(event_variable() if makes_events(workflow) else {}),
    }


def task_rights(workflow: Workflow) -> list[Json]:
    """Return the statements for the role of whatever runs tasks."""
    xcoms = xcom_rights() if may_push(workflow) else []
    events = event_rights() if makes_events(workflow) else []
    state = [*state_rights(workflow), *history_rights(workflow)]
    return [*xcoms, *state, *machine_rights(workflow), *events, *read_values(workflow.needs)]


def log_group(retention_days: int, name: Json | None = None) -> Json:
    """Return a log group that goes with its stack.

    One that stayed behind under its name would keep the stack from being made again.
    """
    properties: Json = {"RetentionInDays": retention_days}
    if name is not None:
        properties["LogGroupName"] = name
    return {
        "Type": "AWS::Logs::LogGroup",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": properties,
    }


def _function(dag_id: str, function: FunctionAsset, target: Target, role_name: str, log_name: str) -> Json:
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Description": f"Runs the tasks of the Airflow DAG {dag_id}"[:256],
            "Runtime": f"python{target.python}",
            "Architectures": [target.architecture],
            "Handler": function.handler,
            "Code": {
                "S3Bucket": {"Ref": "AssetBucket"},
                "S3Key": {"Ref": f"{function.logical}CodeKey"},
            },
            "MemorySize": function.memory,
            "Timeout": function.timeout,
            "Role": {"Fn::GetAtt": [role_name, "Arn"]},
            "LoggingConfig": {"LogGroup": {"Ref": log_name}},
            "TracingConfig": {"Mode": "Active"},
        },
    }


def _role(log_name: str, rights: list[Json]) -> Json:
    """Return the function's role; what the tasks themselves do on AWS is for the user's policy to allow."""
    write_log = allow(
        "WriteLog", ("logs:CreateLogStream", "logs:PutLogEvents"), {"Fn::GetAtt": [log_name, "Arn"]}
    )
    managed = {"Fn::If": [HAS_POLICY, [{"Ref": "TaskPolicyArn"}], {"Ref": "AWS::NoValue"}]}
    return role(
        "lambda.amazonaws.com",
        [write_log, *rights, tracing(sampling=False)],
        own_account_only=False,
        managed=managed,
    )


def _layer(dag_id: str, target: Target, key: str) -> Json:
    return {
        "Type": "AWS::Lambda::LayerVersion",
        "Properties": {
            "Description": f"Third-party packages of the Airflow DAG {dag_id}"[:256],
            "CompatibleArchitectures": [target.architecture],
            "CompatibleRuntimes": [f"python{target.python}"],
            "Content": {"S3Bucket": {"Ref": "AssetBucket"}, "S3Key": {"Ref": key}},
        },
    }
