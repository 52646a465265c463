"""The asset launcher: an Express state machine between EventBridge and the state machine of a DAG that waits for assets.

Where one event is enough, it starts the run. Where several assets have to be there, an item of a DynamoDB table remembers
what has arrived since the last run:

    Remember    adds the event and its keys to the item; both are sets, so that an event that comes twice changes nothing
    Take        deletes the item if its keys satisfy the schedule, and so gets every event that is in it

The condition of the deletion is the schedule itself, so DynamoDB decides, and of two events that come at once only one
starts a run. What Airflow does: `AssetManager.register_asset_change` and
`SchedulerJobRunner._create_dag_runs_asset_triggered`; it, too, forgets all that is queued when a run is made.

The execution is named after the event, so that Step Functions refuses it a second time (AWS: EventBridge delivers at
least once).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orkestra_bridge.asl.jsonata import expression, text, texts
from orkestra_bridge.stack.launcher import DONE, REPORT, start_states

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import AssetCondition

REMEMBER, TAKE = "Remember the event", "Take what has arrived"
TABLE = "${AssetMemory}"

INPUT = "$states.context.Execution.Input"
REFUSED = ["DynamoDB.ConditionalCheckFailedException"]
AGAIN = {
    "ErrorEquals": ["States.ALL"],
    "IntervalSeconds": 1,
    "MaxAttempts": 5,
    "BackoffRate": 2,
    "JitterStrategy": "FULL",
}

Json = dict[str, Any]


def asset_launcher_definition(dag_id: str, condition: AssetCondition, *, major: int) -> Json:
    """Return the launcher's ASL; ``${StateMachineArn}``, ``${UndeliveredRunsUrl}`` and ``${AssetMemory}`` are filled in.

    ``major`` is Airflow's major version; it decides what the run id is made of.
    """
    remembers = condition.needs_memory
    events = "$eventsOfRun" if remembers else relevant(condition)
    start, states = start_states(name=_name(major), document=_document(events, major))
    if remembers:
        states = {REMEMBER: _remember(dag_id, condition), TAKE: _take(dag_id, condition, start), **states}
    return {
        "Comment": "Starts a run when the assets that the DAG waits for have been updated",
        "QueryLanguage": "JSONata",
        "StartAt": REMEMBER if remembers else start,
        "TimeoutSeconds": 240,
        "States": states,
    }


def _run_id(major: int) -> str:
    """Return the run id: in Airflow 2 it ends with the date, in Airflow 3 with what makes it unique."""
    if major == 2:
        return f"'dataset_triggered__' & {INPUT}.detail.timestamp"
    return f"'asset_triggered__' & {INPUT}.detail.timestamp & '_' & $substring({INPUT}.id, 0, 8)"


def _name(major: int) -> str:
    whole = _run_id(major) if major > 2 else f"{_run_id(major)} & '_' & $substring({INPUT}.id, 0, 8)"
    return f"$replace({whole}, /[^A-Za-z0-9_-]/, '_')"


def _document(events: str, major: int) -> str:
    kind = "dataset_triggered" if major == 2 else "asset_triggered"
    return (
        f"{{'run_type': '{kind}', 'run_id': {_run_id(major)}, "
        f"'triggered_at': {INPUT}.detail.timestamp, 'asset_events': {events}}}"
    )


def relevant(condition: AssetCondition) -> str:
    """Return JSONata for the events that the DAG waits for; others may have come with them."""
    keys = texts([key for leaf in condition.leaves for key in leaf.keys])
    return f"[$filter({INPUT}.detail.events, function($event) {{$count($event.keys[$ in {keys}]) > 0}})]"


def _arrived(condition: AssetCondition) -> str:
    """Return JSONata for the first key of each asset that the events are about."""
    leaves = ", ".join(
        f"$count({INPUT}.detail.events.keys[$ in {texts(leaf.keys)}]) > 0 ? {text(leaf.keys[0])} : []"
        for leaf in condition.leaves
    )
    return f"$append([], [{leaves}])"


def _item(dag_id: str) -> Json:
    return {"TableName": TABLE, "Key": {"id": {"S": dag_id}}}


def _remember(dag_id: str, condition: AssetCondition) -> Json:
    events = f"[{relevant(condition)}.$string($)]"
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::dynamodb:updateItem",
        "Arguments": {
            **_item(dag_id),
            "UpdateExpression": "ADD arrived :arrived, events :events",
            "ExpressionAttributeValues": {
                ":arrived": {"SS": expression(_arrived(condition))},
                ":events": {"SS": expression(events)},
            },
        },
        "Retry": [AGAIN],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": REPORT}],
        "Next": TAKE,
    }


def _take(dag_id: str, condition: AssetCondition, start: str) -> Json:
    numbers = {leaf: f":a{number}" for number, leaf in enumerate(condition.leaves)}
    parsed = "$map($states.result.Attributes.events.SS, function($text) {$parse($text)})"
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::dynamodb:deleteItem",
        "Arguments": {
            **_item(dag_id),
            "ConditionExpression": condition_text(
                condition, {leaf: f"contains(arrived, {name})" for leaf, name in numbers.items()}
            ),
            "ExpressionAttributeValues": {name: {"S": leaf.keys[0]} for leaf, name in numbers.items()},
            "ReturnValues": "ALL_OLD",
        },
        "Assign": {"eventsOfRun": expression(f"[{parsed}^(timestamp)]")},
        "Retry": [{"ErrorEquals": REFUSED, "MaxAttempts": 0}, AGAIN],
        "Catch": [
            {"ErrorEquals": REFUSED, "Next": DONE},
            {"ErrorEquals": ["States.ALL"], "Next": REPORT},
        ],
        "Next": start,
    }


def condition_text(condition: AssetCondition, terms: dict[AssetCondition, str]) -> str:
    """Return the schedule as a condition of DynamoDB; ``terms`` say for each asset that it is there."""
    if condition in terms:
        return terms[condition]
    parts = [condition_text(member, terms) for member in condition.of]
    joined = (" AND " if condition.kind == "all" else " OR ").join(parts)
    return f"({joined})" if len(parts) > 1 else joined
