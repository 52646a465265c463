"""Rules of EventBridge that start runs: one for each event pattern of the configuration.

A rule may deliver an event more than once (AWS: at least once). So a launcher, a short execution of an Express state
machine, names the run after the event, and Step Functions refuses the second one. The event is the run's conf.

Sources: Amazon EventBridge user guide, "Events in Amazon EventBridge" (their fields) and "Using dead-letter queues".
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import orjson

from orkestra_bridge.stack.iam import allow, role
from orkestra_bridge.stack.launcher import start_states
from orkestra_bridge.stack.machine import MACHINE, machine_role, state_machine
from orkestra_bridge.stack.queue import QUEUE, queue_resources, send

if TYPE_CHECKING:
    from orkestra_bridge.stack.model import ScheduleView

LAUNCHER = "EventLauncher"
ROLE = "EventRole"
STATE = "EventRulesState"
RULE = "EventRule"
_RUN_ID = "'event__' & $states.input.id"

Json = dict[str, Any]


def event_resources(dag_id: str, view: ScheduleView) -> dict[str, Json]:
    """Return the resources that start a run for each event that a pattern matches, by logical id."""
    if not view.events:
        return {}
    rules = {rule_name(pattern): _rule(dag_id, pattern) for pattern in view.events}
    statements = [allow("StartEventLauncher", ("states:StartExecution",), {"Ref": LAUNCHER})]
    return {
        **rules,
        ROLE: role("events.amazonaws.com", statements, own_account_only=True),
        **_launcher(),
        **queue_resources(tuple(rules)),
    }


def event_parameters(view: ScheduleView) -> Json:
    """Return the parameter that turns the rules off."""
    if not view.events:
        return {}
    return {
        STATE: {
            "Type": "String",
            "Description": "DISABLED keeps runs from being started by events",
            "Default": view.state,
            "AllowedValues": ["ENABLED", "DISABLED"],
        }
    }


def rule_name(pattern: Json) -> str:
    """Return the logical id of a pattern's rule, which stays the same when others are added."""
    text = orjson.dumps(pattern, option=orjson.OPT_SORT_KEYS)
    return f"{RULE}{hashlib.sha256(text).hexdigest()[:8].upper()}"


def _rule(dag_id: str, pattern: Json) -> Json:
    return {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "Description": f"Starts runs of the Airflow DAG {dag_id}"[:512],
            "EventPattern": pattern,
            "State": {"Ref": STATE},
            "Targets": [
                {
                    "Id": LAUNCHER,
                    "Arn": {"Ref": LAUNCHER},
                    "RoleArn": {"Fn::GetAtt": [ROLE, "Arn"]},
                    "DeadLetterConfig": {"Arn": {"Fn::GetAtt": [QUEUE, "Arn"]}},
                }
            ],
        },
    }


def _launcher() -> dict[str, Json]:
    fill = {"StateMachineArn": {"Ref": MACHINE}, "UndeliveredRunsUrl": {"Ref": QUEUE}}
    statements = [allow("StartRun", ("states:StartExecution",), {"Ref": MACHINE}), send("ReportMissedRun")]
    return {
        LAUNCHER: state_machine("EXPRESS", launcher_definition(), fill, LAUNCHER),
        f"{LAUNCHER}Role": machine_role(statements),
    }


def launcher_definition() -> Json:
    """Return the launcher's ASL; ``${StateMachineArn}`` and ``${UndeliveredRunsUrl}`` are to be filled in."""
    document = f"{{'run_id': {_RUN_ID}, 'run_type': 'manual', 'logical_date': $states.input.time, 'conf': $states.input}}"
    start_at, states = start_states(name=_RUN_ID, document=document)
    return {
        "Comment": "Starts one run for each event; the event is the run's conf",
        "QueryLanguage": "JSONata",
        "StartAt": start_at,
        "TimeoutSeconds": 240,
        "States": states,
    }
