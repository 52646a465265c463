"""What starts a DAG that waits for assets: rules that hear of their events, and the launcher behind them.

An event has the keys of what it is about, ``uri s3://...``, ``name ...`` or ``alias ...``; a rule those of the schedule.
Partitioned DAGs hear of events with a partition key, all others of those without (`AssetManager._queue_dagruns`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.asset_events import DETAIL_TYPE, PARTITIONED_TYPE, SOURCE
from orkestra_bridge.stack.asset_bus import BUS
from orkestra_bridge.stack.asset_launcher import asset_launcher_definition
from orkestra_bridge.stack.iam import allow, role
from orkestra_bridge.stack.joins import join_table
from orkestra_bridge.stack.machine import MACHINE, machine_role, state_machine
from orkestra_bridge.stack.partition_launcher import partition_launcher_definition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orkestra_bridge.ir.model import AssetCondition, Workflow

LAUNCHER = "AssetLauncher"
MEMORY = "AssetMemory"
RULE = "AssetRule"
PATTERN_LIMIT = 2_048
"""Characters of a rule's pattern (AWS: "Amazon EventBridge quotas")."""

Json = dict[str, Any]


def asset_resources(
    workflow: Workflow, condition: AssetCondition, queue: str, function: str
) -> dict[str, Json]:
    """Return the rules for the assets that a DAG waits for, the launcher behind them and its memory, by logical id.

    ``queue`` is the logical id of the queue for what could not be delivered, ``function`` that of the DAG's function.
    """
    keys = [key for leaf in condition.leaves for key in leaf.keys]
    kind = PARTITIONED_TYPE if workflow.schedule.maps_partitions else DETAIL_TYPE
    text = f"Assets that the Airflow DAG {workflow.dag_id} waits for"
    return {
        **asset_rules(RULE, patterns(keys, kind), LAUNCHER, queue, text=text, state={"Ref": "ScheduleState"}),
        f"{RULE}Role": role(
            "events.amazonaws.com",
            [allow("StartLauncher", ("states:StartExecution",), {"Ref": LAUNCHER})],
            own_account_only=True,
        ),
        **_launcher(workflow, condition, queue, function),
        **({MEMORY: join_table()} if remembers(workflow, condition) else {}),
    }


def remembers(workflow: Workflow, condition: AssetCondition) -> bool:
    """Return True if one event may not be enough for a run: there are several assets, or several partitions of one."""
    partitions = workflow.schedule.partitions
    return condition.needs_memory or (partitions is not None and partitions.rollup)


def patterns(wanted: Iterable[str], *kinds: str) -> Iterator[Json]:
    """Yield event patterns for all keys and these types of events, each as long as a rule may have it."""
    keys: list[str] = []
    for key in dict.fromkeys(wanted):
        if keys and len(json.dumps(_pattern([*keys, key], kinds))) > PATTERN_LIMIT:
            yield _pattern(keys, kinds)
            keys = []
        keys.append(key)
    yield _pattern(keys, kinds)


def _pattern(keys: list[str], kinds: tuple[str, ...]) -> Json:
    return {"source": [SOURCE], "detail-type": list(kinds), "detail": {"keys": keys}}


def asset_rules(
    name: str, heard: Iterable[Json], target: str, queue: str, *, text: str, state: str | Json
) -> dict[str, Json]:
    """Return a rule for each pattern of events, by logical id: the name, with numbers where there are several.

    Args:
        name: What the rules are named after, and with ``Role`` behind it the role that they start the target with.
        heard: The patterns.
        target: The logical id of the state machine that is started.
        queue: That of the queue for what could not be delivered.
        text: What people read.
        state: Whether the rules are enabled.
    """
    found = list(heard)
    names = [name if len(found) == 1 else f"{name}{number}" for number in range(1, len(found) + 1)]
    started = {
        "Id": target,
        "Arn": {"Ref": target},
        "RoleArn": {"Fn::GetAtt": [f"{name}Role", "Arn"]},
        "DeadLetterConfig": {"Arn": {"Fn::GetAtt": [queue, "Arn"]}},
    }
    return {
        each: {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Description": text[:512],
                "EventBusName": {"Ref": BUS},
                "EventPattern": pattern,
                "State": state,
                "Targets": [started],
            },
        }
        for each, pattern in zip(names, found, strict=True)
    }


def launcher_of(workflow: Workflow, condition: AssetCondition, function: str) -> Json:
    """Return the definition of the launcher of a DAG that waits for assets."""
    if workflow.schedule.maps_partitions:
        return partition_launcher_definition(
            workflow.dag_id,
            condition,
            remembers=remembers(workflow, condition),
            function=f"${{{function}Arn}}",
        )
    major = int(workflow.airflow_version.split(".", 1)[0])
    return asset_launcher_definition(workflow.dag_id, condition, major=major)


def _launcher(workflow: Workflow, condition: AssetCondition, queue: str, function: str) -> dict[str, Json]:
    fill: Json = {"StateMachineArn": {"Ref": MACHINE}, "UndeliveredRunsUrl": {"Ref": queue}}
    statements = [
        allow("StartRun", ("states:StartExecution",), {"Ref": MACHINE}),
        allow("ReportMissedRun", ("sqs:SendMessage",), {"Fn::GetAtt": [queue, "Arn"]}),
    ]
    if workflow.schedule.maps_partitions:
        fill[f"{function}Arn"] = {"Fn::GetAtt": [function, "Arn"]}
        statements.append(allow("AskForPartitions", ("lambda:InvokeFunction",), fill[f"{function}Arn"]))
    if remembers(workflow, condition):
        fill[MEMORY] = {"Ref": MEMORY}
        actions = ("dynamodb:DeleteItem", "dynamodb:UpdateItem")
        statements.append(allow("RememberEvents", actions, {"Fn::GetAtt": [MEMORY, "Arn"]}))
    return {
        LAUNCHER: state_machine("EXPRESS", launcher_of(workflow, condition, function), fill, LAUNCHER),
        f"{LAUNCHER}Role": machine_role(statements),
    }
