"""State machines with their roles and logs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

import orjson

from orkestra_bridge.lowering.part import part_logical, part_name
from orkestra_bridge.stack.compute import log_group
from orkestra_bridge.stack.container import container_value, is_container_placeholder, machine_rights
from orkestra_bridge.stack.iam import (
    allow,
    log_delivery,
    own_executions,
    own_machines,
    own_map_runs,
    role,
    tracing,
)
from orkestra_bridge.stack.joins import JOINS, has_joins, join_rights, join_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.stack.model import FunctionAsset

MACHINE = "StateMachine"
MACHINE_LOG = "StateMachineLog"
NAME_LIMIT = 80
"""Characters of a state machine's name (API reference of CreateStateMachine)."""

Json = dict[str, Any]


_NO_PARTS: Mapping[str, Json] = {}
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9]+)\}")


def machine_definitions(definition: Json, parts: Mapping[str, Json]) -> dict[str, Json]:
    """Return the definition of each state machine by its logical id; ``parts`` are in the order of their numbers."""
    numbered = enumerate(parts.values(), start=1)
    return {MACHINE: definition, **{part_logical(number): part for number, part in numbered}}


def name_limit(parts: int) -> int:
    """Return how many characters the DAG's state machine may have in its name, behind which those of parts add theirs."""
    return NAME_LIMIT - (len(f"-{part_name(parts)}") if parts else 0)


def machine_resources(
    definition: Json, function: FunctionAsset, retention_days: int, parts: Mapping[str, Json] = _NO_PARTS
) -> dict[str, Json]:
    """Return the DAG's state machines with their roles, its joins and the log of all machines, by logical id."""
    machines = machine_definitions(definition, parts)
    # outside of /aws/vendedlogs/ each log group makes a resource policy longer, until that is full
    log_name = {"Fn::Join": ["", ["/aws/vendedlogs/states/", {"Ref": "StateMachineName"}]]}
    resources: dict[str, Json] = {}
    for logical, each in machines.items():
        named = _placeholders(each)
        fill = {name: _value(name, function) for name in named}
        resources[logical] = state_machine("STANDARD", each, fill, logical)
        resources[logical]["Properties"]["StateMachineName"] = _machine_name(logical)
        rights = _rights(named, function, len(parts))
        if has_distributed_map(each):
            rights += _map_rights("" if logical == MACHINE else _part_of(logical), joins=_joins_in_maps(each))
        resources[f"{logical}Role"] = machine_role(rights)
        if logical == MACHINE:
            resources[MACHINE_LOG] = log_group(retention_days, log_name)
    if any(map(has_joins, machines.values())):
        resources[JOINS] = join_table()
    return resources


def _placeholders(definition: Json) -> list[str]:
    return sorted(set(_PLACEHOLDER.findall(orjson.dumps(definition).decode())))


def _value(placeholder: str, function: FunctionAsset) -> Json:
    if placeholder == JOINS:
        return {"Ref": JOINS}
    if is_container_placeholder(placeholder):
        return container_value(placeholder)
    if _names_function(placeholder, function):
        return {"Fn::GetAtt": [placeholder.removesuffix("Arn"), "Arn"]}
    return {"Ref": placeholder.removesuffix("Arn")}


def _names_function(placeholder: str, function: FunctionAsset) -> bool:
    return placeholder.startswith(function.logical) and placeholder.endswith("FunctionArn")


def _machine_name(logical: str) -> Json:
    if logical == MACHINE:
        return {"Ref": "StateMachineName"}
    return {"Fn::Sub": f"${{StateMachineName}}-{_part_of(logical)}"}


def _part_of(logical: str) -> str:
    return part_name(int(logical.removeprefix(part_logical(0)[:-1])))


def _rights(named: list[str], function: FunctionAsset, parts: int) -> list[Json]:
    functions = [name for name in named if _names_function(name, function)]
    others = [name for name in named if name not in {*functions, JOINS}]
    started = [name.removesuffix("Arn") for name in others if not is_container_placeholder(name)]
    statements = []
    if functions:
        arns = (_value(name, function) for name in functions)
        statements.append(allow("InvokeTasks", ("lambda:InvokeFunction",), *arns))
    if JOINS in named:
        statements += join_rights([part_name(number + 1) for number in range(parts)])
    statements += machine_rights(others)
    return [*statements, *(_start_rights(started) if started else [])]


def has_distributed_map(definition: Json) -> bool:
    """Return True if a Map of the machine starts executions of it."""
    return b'"Mode":"DISTRIBUTED"' in orjson.dumps(definition)


def _joins_in_maps(definition: Json) -> bool:
    """Return True if there are joins in the executions that distributed Maps start."""
    if definition.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED":
        return has_joins(definition)
    inner = (
        each for value in definition.values() for each in (value if isinstance(value, list) else [value])
    )
    return any(_joins_in_maps(each) for each in inner if isinstance(each, dict))


def _map_rights(part: str, *, joins: bool) -> list[Json]:
    """Return the statements for the role of a machine with distributed Maps (AWS: "IAM policies for Distributed Map").

    A Map starts executions of its own machine, whose names have a label of the Map before them. SendTaskSuccess is a
    right on the machine of the task that waits, and in these executions it has the label behind its name, too. AWS makes
    the labels, so that they cannot be named here.
    """
    wakes = [allow("WakeTasksOfInstances", ("states:SendTaskSuccess",), *own_map_runs([part]))]
    return [
        *(wakes if joins else []),
        allow("StartInstances", ("states:StartExecution",), *own_machines([part])),
        allow(
            "WatchInstances",
            ("states:DescribeExecution", "states:StopExecution"),
            *own_executions([part]),
            *own_executions([part], labelled=True),
        ),
    ]


def _start_rights(parts: list[str]) -> list[Json]:
    """Return the statements for the role of a machine that starts executions of parts and waits for them.

    Step Functions is told of their end by a rule that it keeps in EventBridge (AWS: "IAM policies for calling nested
    workflows"). The names of executions are those of runs.
    """
    names = [_part_of(part) for part in parts]
    rule = "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
    return [
        allow("StartParts", ("states:StartExecution",), *own_machines(names)),
        allow("WaitForParts", ("states:DescribeExecution", "states:StopExecution"), *own_executions(names)),
        allow(
            "HearOfParts",
            ("events:PutTargets", "events:PutRule", "events:DescribeRule"),
            {"Fn::Sub": f"arn:${{AWS::Partition}}:events:${{AWS::Region}}:${{AWS::AccountId}}:{rule}"},
        ),
    ]


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
    text = orjson.dumps(definition)
    if not any(word in text for word in _SUSPECT) or _is_plain(definition):
        return {"Definition": definition}
    return {"DefinitionString": json.dumps(definition, sort_keys=True, separators=(",", ":"))}


_SUSPECT = (b"null", b'"Ref"', b'"Fn::')
"""Without any of these there is nothing to look for: nearly every definition is plain."""


def _is_plain(value: Any) -> bool:
    """Return False for null, which templates may not have, and for what reads like an intrinsic function."""
    if isinstance(value, dict):
        names = any(key == "Ref" or key.startswith("Fn::") for key in value)
        return not names and all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is not None
