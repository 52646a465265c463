"""The table in which branches that run side by side meet, and what a state machine may do with it.

Only machines with joins have one. It holds nothing that outlives a run, so it goes with its stack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from orkestra_bridge.lowering.join import TABLE
from orkestra_bridge.stack.iam import allow, own_machines

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def join_rights(parts: Sequence[str] = ()) -> list[Json]:
    """Return the statements for the role of a machine with joins; who waits may be in any of the ``parts`` of the DAG."""
    own = own_machines(["", *parts])
    return [
        allow("Join", ("dynamodb:GetItem", "dynamodb:UpdateItem"), {"Fn::GetAtt": [JOINS, "Arn"]}),
        allow("WakeOwnTasks", ("states:SendTaskSuccess",), *own),
    ]
