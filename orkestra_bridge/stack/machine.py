"""State machines with their roles and logs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from orkestra_bridge.stack.compute import log_group
from orkestra_bridge.stack.iam import allow, log_delivery, role, tracing
from orkestra_bridge.stack.joins import JOINS, has_joins, join_rights, join_table

if TYPE_CHECKING:
    from orkestra_bridge.stack.model import FunctionAsset

MACHINE = "StateMachine"
MACHINE_LOG = "StateMachineLog"
NAME_LIMIT = 80
"""Characters of a state machine's name (API reference of CreateStateMachine)."""

Json = dict[str, Any]


def machine_resources(definition: Json, function: FunctionAsset, retention_days: int) -> dict[str, Json]:
    """Return the DAG's state machine, its role, its joins and the log of all its state machines, by logical id."""
    function_arn = {"Fn::GetAtt": [f"{function.logical}Function", "Arn"]}
    joins = has_joins(definition)
    fill = {f"{function.logical}FunctionArn": function_arn, **({JOINS: {"Ref": JOINS}} if joins else {})}
    rights = [
        allow("InvokeTasks", ("lambda:InvokeFunction",), function_arn),
        *(join_rights() if joins else []),
    ]
    machine = state_machine("STANDARD", definition, fill, MACHINE)
    machine["Properties"]["StateMachineName"] = {"Ref": "StateMachineName"}
    # outside of /aws/vendedlogs/ each log group makes a resource policy longer, until that is full
    log_name = {"Fn::Join": ["", ["/aws/vendedlogs/states/", {"Ref": "StateMachineName"}]]}
    return {
        MACHINE: machine,
        f"{MACHINE}Role": machine_role(rights),
        MACHINE_LOG: log_group(retention_days, log_name),
        **({JOINS: join_table()} if joins else {}),
    }


def state_machine(kind: Literal["STANDARD", "EXPRESS"], definition: Json, fill: Json, logical: str) -> Json:
    """Return a state machine; ``fill`` has the values of the ``${...}`` in its definition."""
    destination = {"CloudWatchLogsLogGroup": {"LogGroupArn": {"Fn::GetAtt": [MACHINE_LOG, "Arn"]}}}
    return {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "StateMachineType": kind,
            **_definition(definition),
            "DefinitionSubstitutions": fill,
            "RoleArn": {"Fn::GetAtt": [f"{logical}Role", "Arn"]},
            "LoggingConfiguration": {
                "Level": {"Ref": "LogLevel"},
                "IncludeExecutionData": False,
                "Destinations": [destination],
            },
            "TracingConfiguration": {"Enabled": True},
        },
    }


def machine_role(statements: list[Json]) -> Json:
    """Return the role of a state machine: the given statements, its log and its traces."""
    every = [*statements, log_delivery(), tracing(sampling=True)]
    return role("states.amazonaws.com", every, own_account_only=True)


def _definition(definition: Json) -> Json:
    """Return the definition as an object, or as text if CloudFormation would not take the object as it is."""
    if _is_plain(definition):
        return {"Definition": definition}
    return {"DefinitionString": json.dumps(definition, sort_keys=True, separators=(",", ":"))}


def _is_plain(value: Any) -> bool:
    """Return False for null, which templates may not have, and for what reads like an intrinsic function."""
    if isinstance(value, dict):
        names = any(key == "Ref" or key.startswith("Fn::") for key in value)
        return not names and all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is not None
