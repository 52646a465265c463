"""The asset launcher of a partitioned DAG: an Express state machine between EventBridge and the DAG's own one.

    Ask for the partitions      invokes the DAG's function, which has the partition mappers: it answers with an entry for
                                each partition of the DAG that the events are for (`runtime/partition_events.py`)
    Each partition              for each entry, in an item of a DynamoDB table of its own:
        Remember the event      adds the events, and for each asset the keys of its partitions that have arrived
        Take what has arrived   deletes the item if enough has arrived of enough assets, and so gets all that is in it
        Start the run           with the key of the partition

The condition of the deletion is the schedule, as for DAGs without partitions (`stack/asset_launcher.py`). How many
partitions of an asset there have to be stands in the item, since it can be another number for each key: a month has 28
days or more. Where one event is always enough there is no table. What Airflow does:
`AssetManager._queue_partitioned_dags` and `SchedulerJobRunner._create_dagruns_for_partitioned_asset_dags`.

A run is named after the event and the key, so that Step Functions refuses it a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orkestra_bridge.asl.jsonata import expression
from orkestra_bridge.runtime.partition_events import BROKEN
from orkestra_bridge.stack.asset_launcher import (
    AGAIN,
    INPUT,
    REFUSED,
    REMEMBER,
    TABLE,
    TAKE,
    condition_text,
    relevant,
)
from orkestra_bridge.stack.launcher import DONE, FAILED, REPORT, start_states

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import AssetCondition

ASK, EACH, DESCRIBE = "Ask for the partitions", "Each partition", "Describe the run"
STARTED, ALL_STARTED, REPORT_EVENT = (
    "Was every run started",
    "Every run was started",
    "Report the event",
)
MOST_AT_ONCE = 10

Json = dict[str, Any]


def partition_launcher_definition(
    dag_id: str, condition: AssetCondition, *, remembers: bool, function: str
) -> Json:
    """Return the launcher's ASL.

    ``${StateMachineArn}``, ``${UndeliveredRunsUrl}``, ``${AssetMemory}`` if it ``remembers`` events, and the ARN of the
    ``function``, also as a placeholder, are to be filled in.
    """
    _, outer = start_states(name="''", document="''")
    return {
        "Comment": f"Starts a run of {dag_id} for each partition of which all is there that the DAG waits for",
        "QueryLanguage": "JSONata",
        "StartAt": ASK,
        "TimeoutSeconds": 240,
        "States": {
            ASK: _ask(condition, function),
            EACH: {
                "Type": "Map",
                "Items": expression("$states.input"),
                "MaxConcurrency": MOST_AT_ONCE,
                "ItemProcessor": _of_partition(condition, remembers=remembers),
                "Next": STARTED,
            },
            STARTED: {
                "Type": "Choice",
                "Choices": [
                    {"Condition": expression("$count($states.input[reported = true]) > 0"), "Next": FAILED}
                ],
                "Default": ALL_STARTED,
            },
            ALL_STARTED: {"Type": "Succeed"},
            REPORT_EVENT: outer[REPORT],
            FAILED: outer[FAILED],
        },
    }


def _ask(condition: AssetCondition, function: str) -> Json:
    request = {
        "id": expression(f"{INPUT}.id"),
        "timestamp": expression(f"{INPUT}.detail.timestamp"),
        "events": expression(relevant(condition)),
        "leaves": [list(leaf.keys) for leaf in condition.leaves],
    }
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function, "Payload": {"partitions": request}},
        "Assign": {"events": expression(relevant(condition))},
        "Output": expression("[$states.result.Payload.entries]"),
        "Retry": [AGAIN],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": REPORT_EVENT}],
        "Next": EACH,
    }


def _of_partition(condition: AssetCondition, *, remembers: bool) -> Json:
    """Return the states for one entry, which is the input of each of them."""
    start, states = start_states(
        name="$replace($states.input.run_id, /[^A-Za-z0-9_-]/, '_')", document="$document"
    )
    states[start] |= {"Output": {}}
    states[start]["Catch"][-1] |= _told("'run': $document")
    report = {key: value for key, value in states[REPORT].items() if key != "Next"}
    states |= {REPORT: {**report, "Output": {"reported": True}, "End": True}}
    states[DONE] = {"Type": "Succeed", "Output": {}}
    del states[FAILED]
    if remembers:
        before = {REMEMBER: _remember(), TAKE: _take(condition, start)}
    else:
        item = "[$states.input.dates]", "[$states.input.carried]"
        before = {
            DESCRIBE: {
                "Type": "Pass",
                "Assign": {"document": expression(_document(f"[{_events('$events[$number]')}]", *item))},
                "Next": start,
            }
        }
    return {"StartAt": next(iter(before)), "States": {**before, **states}}


def _told(what: str) -> Json:
    """Return the output of a catcher: what is reported about a run that could not be started."""
    return {"Output": expression(f"{{{what}, 'error': $states.errorOutput}}")}


def _events(each: str) -> str:
    return f"$map($states.input.events, function($number) {{{each}}})"


def _item() -> Json:
    return {"TableName": TABLE, "Key": {"id": {"S": expression("$states.input.item")}}}


def _remember() -> Json:
    events = f"{{':events': {{'SS': [{_events('$string($events[$number])')}]}}}}"
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::dynamodb:updateItem",
        "Arguments": {
            **_item(),
            "UpdateExpression": expression("$states.input.update.expression"),
            "ExpressionAttributeValues": expression(f"$merge([$states.input.update.values, {events}])"),
        },
        "Output": expression("$states.input"),
        "Retry": [AGAIN],
        "Catch": [{"ErrorEquals": ["States.ALL"], **_told("'key': $states.input.key"), "Next": REPORT}],
        "Next": TAKE,
    }


def _take(condition: AssetCondition, start: str) -> Json:
    terms = {
        leaf: f"(attribute_exists(arrived{number}) AND size(arrived{number}) >= needed{number})"
        for number, leaf in enumerate(condition.leaves)
    }
    there = "$states.result.Attributes"
    events = f"[$map({there}.events.SS, function($text) {{$parse($text)}})^(timestamp)]"
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::dynamodb:deleteItem",
        "Arguments": {
            **_item(),
            "ConditionExpression": condition_text(condition, terms),
            "ReturnValues": "ALL_OLD",
        },
        "Assign": {"document": expression(_document(events, f"[{there}.dates.SS]", f"[{there}.carried.SS]"))},
        "Output": expression("$states.input"),
        "Retry": [{"ErrorEquals": REFUSED, "MaxAttempts": 0}, AGAIN],
        "Catch": [
            {"ErrorEquals": REFUSED, "Next": DONE},
            {"ErrorEquals": ["States.ALL"], **_told("'key': $states.input.key"), "Next": REPORT},
        ],
        "Next": start,
    }


def _document(events: str, dates: str, carried: str) -> str:
    """Return JSONata for the run document.

    The date is the one that all mappers say; if they say none, the one that the runs had that made the events, where two
    that differ make none (`_resolve_partition_date` and `AssetManager._get_or_create_apdr`).
    """
    same = "function($kept, $next) {$kept = '' ? $next : $kept = $next ? $kept : ''}"
    read = "function($text) {$substringAfter($text, ' ')}"
    return (
        f"($said := {dates}; $carried := [$map($sort({carried}), {read})]; "
        f"$date := $count($said) > 0 ? ($count($said) = 1 and $said[0] != '{BROKEN}' ? $said[0] : '') "
        f": $count($carried) > 0 ? $reduce($carried, {same}, '') : ''; "
        "$merge([{'run_type': 'asset_triggered', 'run_id': $states.input.run_id, "
        f"'triggered_at': {INPUT}.detail.timestamp, 'partition_key': $states.input.key, "
        f"'asset_events': {events}}}, $date = '' ? {{}} : {{'partition_date': $date}}]))"
    )
