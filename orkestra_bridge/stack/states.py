"""The table of a DAG with what its tasks store for their next tries, and what they may do with it.

Only DAGs have one that use `task_state_store`. It goes with its stack: nothing in it outlives its run by much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.context_keys import TASK_STATE
from orkestra_bridge.runtime.tables import EXPIRES, HASH, RANGE
from orkestra_bridge.stack.iam import allow

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Workflow

TASK_STATES = "TaskStateTable"
_USE = ("dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query")

Json = dict[str, Any]


def state_table() -> Json:
    """Return a table as `runtime/tables.py` uses it; DynamoDB deletes items that have expired."""
    keys = {HASH: "HASH", RANGE: "RANGE"}
    return {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in keys],
            "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
            "TimeToLiveSpecification": {"AttributeName": EXPIRES, "Enabled": True},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            "SSESpecification": {"SSEEnabled": True},
        },
    }


def state_resources(workflow: Workflow) -> dict[str, Json]:
    """Return the DAG's table by its logical id, nothing for a DAG that needs none."""
    return {TASK_STATES: state_table()} if workflow.stores_state else {}


def state_variables(workflow: Workflow) -> Json:
    """Return the environment variable that tells tasks of the table."""
    return {TASK_STATE: {"Fn::Sub": f"dynamodb:${{{TASK_STATES}}}"}} if workflow.stores_state else {}


def state_rights(workflow: Workflow) -> list[Json]:
    """Return the statement for the role of whatever runs tasks: items of this one table."""
    return (
        [allow("KeepTaskState", _USE, {"Fn::GetAtt": [TASK_STATES, "Arn"]})] if workflow.stores_state else []
    )
