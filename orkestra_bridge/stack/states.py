"""Tables for what tasks store, and what those who run tasks may do with them.

What a task stores for its next tries is in a table of its DAG's stack, which goes with it: nothing in it outlives its
run by much. What is stored with assets is in one table for all DAGs that read or write it, which has a template of its
own. Only DAGs whose code reads `task_state_store` or `asset_state_store` have to do with either, and of the second one
with the items of their own assets alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orkestra_bridge.ir.stored import assets_with_state, keys_of_history, stores_state
from orkestra_bridge.runtime.context_keys import ASSET_HISTORY, ASSET_STATE, TASK_STATE
from orkestra_bridge.runtime.tables import EXPIRES, HASH, RANGE, asset_scope
from orkestra_bridge.stack.iam import allow

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Workflow

TASK_STATES = "TaskStateTable"
ASSET_STATES = "AssetStateTable"
"""The parameter with the name of the table that DAGs share, and its logical id in its own template."""
HISTORY = "AssetHistoryTable"
"""The DAG's own table with past events of its inlets (`asset_history.py`)."""
SHARED_NAME = "orkestra-bridge-asset-state"
POLICY_ROOM = 5_000
"""Characters that the names of assets may take in a policy: all policies of a role have 10,240 (IAM quotas)."""
_USE = ("dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query")
_NAME: dict[str, Any] = {"Type": "String", "Default": SHARED_NAME, "AllowedPattern": "[A-Za-z0-9_.-]{3,255}"}

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


def shared_template() -> Json:
    """Return the template of the table that all DAGs share: deployed once, and kept when its stack is deleted."""
    table = state_table()
    table["Properties"]["TableName"] = {"Ref": ASSET_STATES}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "What the tasks of Airflow DAGs store with assets (asset_state_store)",
        "Parameters": {ASSET_STATES: {**_NAME, "Description": "Name of the table, as DAGs are given it"}},
        "Resources": {
            "Table": {**table, "DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
        },
        "Outputs": {"TableName": {"Description": "For the DAGs", "Value": {"Ref": "Table"}}},
    }


def state_parameters(workflow: Workflow) -> Json:
    """Return the parameter with the name of the shared table, if the DAG uses it."""
    if not assets_with_state(workflow):
        return {}
    return {
        ASSET_STATES: {**_NAME, "Description": "Table for what tasks store with assets, shared by all DAGs"}
    }


def state_resources(workflow: Workflow) -> dict[str, Json]:
    """Return the DAG's own table by its logical id, nothing for a DAG that needs none."""
    return {TASK_STATES: state_table()} if stores_state(workflow) else {}


def state_variables(workflow: Workflow) -> Json:
    """Return the environment variables that tell tasks of their tables."""
    own = {TASK_STATE: {"Fn::Sub": f"dynamodb:${{{TASK_STATES}}}"}} if stores_state(workflow) else {}
    shared = {ASSET_STATE: {"Fn::Sub": f"dynamodb:${{{ASSET_STATES}}}"}}
    return {**own, **(shared if assets_with_state(workflow) else {})}


def state_rights(workflow: Workflow) -> list[Json]:
    """Return the statements for the role of whatever runs tasks: the DAG's own table, and its assets in the other one."""
    found = []
    if stores_state(workflow):
        found.append(allow("KeepTaskState", _USE, {"Fn::GetAtt": [TASK_STATES, "Arn"]}))
    names = assets_with_state(workflow)
    if names:
        arn = (
            f"arn:${{AWS::Partition}}:dynamodb:${{AWS::Region}}:${{AWS::AccountId}}:table/${{{ASSET_STATES}}}"
        )
        statement = allow("KeepAssetState", _USE, {"Fn::Sub": arn})
        scopes = [asset_scope(name).replace("$", "${$}") for name in names]
        if sum(map(len, scopes)) <= POLICY_ROOM:
            statement["Condition"] = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": scopes}}
        found.append(statement)
    return found


def history_variables(workflow: Workflow) -> Json:
    """Return the environment variable that tells tasks of the table."""
    return {ASSET_HISTORY: {"Fn::Sub": f"dynamodb:${{{HISTORY}}}"}} if keys_of_history(workflow) else {}


def history_rights(workflow: Workflow) -> list[Json]:
    """Return the statement for the role of whatever runs tasks: to read the table, and to add what they update."""
    if not keys_of_history(workflow):
        return []
    return [allow("ReadEvents", ("dynamodb:PutItem", "dynamodb:Query"), {"Fn::GetAtt": [HISTORY, "Arn"]})]
