"""The past events of assets: a table for a DAG that reads `inlet_events`, and what fills it.

    rule of EventBridge  ->  recorder, an Express state machine  ->  an item for each event and each key that it has

The rule hears of the assets that are inlets of tasks which read their events, whoever makes these: nothing changes for
the DAGs that do. So the history begins with the deployment of the DAG that reads it. An event that comes twice is one
item.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orkestra_bridge.asl.jsonata import expression, texts
from orkestra_bridge.ir.stored import keys_of_history
from orkestra_bridge.runtime.asset_events import DETAIL_TYPE, PARTITIONED_TYPE
from orkestra_bridge.runtime.asset_history import IDENTITY, KEPT_DAYS
from orkestra_bridge.runtime.tables import CONTENT, EXPIRES, HASH, RANGE
from orkestra_bridge.stack.asset_launcher import AGAIN, INPUT
from orkestra_bridge.stack.assets import asset_rules, patterns
from orkestra_bridge.stack.iam import allow, role
from orkestra_bridge.stack.machine import machine_role, state_machine
from orkestra_bridge.stack.queue import QUEUE, queue_resources
from orkestra_bridge.stack.states import HISTORY, state_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orkestra_bridge.ir.model import Workflow

RECORDER = "AssetRecorder"
RULE = "AssetHistoryRule"

Json = dict[str, Any]


def history_resources(workflow: Workflow) -> dict[str, Json]:
    """Return the table, the rules and the recorder between them, by logical id; nothing for other DAGs."""
    keys = keys_of_history(workflow)
    if not keys:
        return {}
    heard = patterns(keys, DETAIL_TYPE, PARTITIONED_TYPE)
    text = f"Assets whose events the Airflow DAG {workflow.dag_id} looks back at"
    return {
        HISTORY: state_table(),
        **asset_rules(RULE, heard, RECORDER, QUEUE, text=text, state="ENABLED"),
        f"{RULE}Role": role(
            "events.amazonaws.com",
            [allow("StartRecorder", ("states:StartExecution",), {"Ref": RECORDER})],
            own_account_only=True,
        ),
        RECORDER: state_machine("EXPRESS", recorder_definition(keys), {HISTORY: {"Ref": HISTORY}}, RECORDER),
        f"{RECORDER}Role": machine_role(
            [allow("RecordEvents", ("dynamodb:PutItem",), {"Fn::GetAtt": [HISTORY, "Arn"]})]
        ),
        **queue_resources(),
    }


def recorder_definition(keys: Sequence[str]) -> Json:
    """Return the recorder's ASL; ``${AssetHistoryTable}`` is to be filled in."""
    identity = " & '#' & ".join(
        [*(f"$string($one.event.{name})" for name in IDENTITY), "$string($one.number)"]
    )
    numbered = (
        f"$map({INPUT}.detail.events, function($event, $number) {{{{'event': $event, 'number': $number}}}})"
    )
    item_of = f"{{'scope': $, 'key': {identity}, 'event': $string($one.event)}}"
    items = f"[{numbered}.($one := $; $one.event.keys[$ in {texts(list(keys))}].{item_of})]"
    values = {HASH: "$states.input.scope", RANGE: "$states.input.key", CONTENT: "$states.input.event"}
    item: Json = {name: {"S": expression(value)} for name, value in values.items()}
    item[EXPIRES] = {"N": expression(f"$string($floor($millis() / 1000) + {KEPT_DAYS * 86_400})")}
    record = {
        "Type": "Task",
        "Resource": "arn:aws:states:::dynamodb:putItem",
        "Arguments": {"TableName": f"${{{HISTORY}}}", "Item": item},
        "Retry": [AGAIN],
        "End": True,
    }
    return {
        "Comment": "Keeps the events of assets that tasks of the DAG look back at",
        "QueryLanguage": "JSONata",
        "StartAt": "Each event",
        "TimeoutSeconds": 240,
        "States": {
            "Each event": {
                "Type": "Map",
                "Items": expression(items),
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "INLINE"},
                    "StartAt": "Record it",
                    "States": {"Record it": record},
                },
                "End": True,
            }
        },
    }
