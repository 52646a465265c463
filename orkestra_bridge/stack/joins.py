"""The table in which branches that run side by side meet, and what a state machine may do with it.

Only machines with joins have one. It holds nothing that outlives a run, so it goes with its stack.
"""

from __future__ import annotations

from typing import Any

import orjson

from orkestra_bridge.lowering.join import TABLE
from orkestra_bridge.stack.iam import allow

JOINS = "JoinsTable"

Json = dict[str, Any]


def has_joins(definition: Json) -> bool:
    """Return True if a definition names the table."""
    return TABLE.encode() in orjson.dumps(definition)


def join_table() -> Json:
    """Return the table: an item per execution and waiting task, which DynamoDB deletes when it has expired."""
    return {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            "SSESpecification": {"SSEEnabled": True},
        },
    }


def join_rights() -> list[Json]:
    """Return the statements for the role of a machine with joins.

    The machine is named by its ARN in full: a reference to it would make the role wait for the machine, and the machine
    waits for its role.
    """
    own = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${StateMachineName}"
    return [
        allow("Join", ("dynamodb:GetItem", "dynamodb:UpdateItem"), {"Fn::GetAtt": [JOINS, "Arn"]}),
        allow("WakeOwnTasks", ("states:SendTaskSuccess",), {"Fn::Sub": own}),
    ]
