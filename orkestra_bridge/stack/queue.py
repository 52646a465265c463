"""The queue of runs that were due and did not start, with their input and the error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orkestra_bridge.stack.iam import METADATA_KEY, allow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

QUEUE = "UndeliveredRuns"
_RETENTION = 14 * 24 * 3600
"""Seconds, the longest that SQS keeps a message."""

Json = dict[str, Any]


def queue_resources(rules: Sequence[str] = ()) -> dict[str, Json]:
    """Return the queue and its policy, by logical id; ``rules`` are logical ids of rules that send to it.

    Schedules have a role for that, rules have none.
    """
    return {QUEUE: _queue(), f"{QUEUE}Policy": _policy(rules)}


def queue_of_rules(resources: Mapping[str, Json]) -> dict[str, Json]:
    """Return the queue for all rules of a template that send to it; nothing for a template without it."""
    rules = [
        name
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Events::Rule"
        and any("DeadLetterConfig" in target for target in resource["Properties"]["Targets"])
    ]
    return queue_resources(rules) if QUEUE in resources else {}


def send(sid: str) -> Json:
    """Return the statement for a role that puts messages into the queue."""
    return allow(sid, ("sqs:SendMessage",), {"Fn::GetAtt": [QUEUE, "Arn"]})


def _queue() -> Json:
    return {
        "Type": "AWS::SQS::Queue",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {"MessageRetentionPeriod": _RETENTION, "SqsManagedSseEnabled": True},
    }


def _policy(rules: Sequence[str]) -> Json:
    deny = {
        "Sid": "OnlyOverTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": {"Fn::GetAtt": [QUEUE, "Arn"]},
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    reason = "it denies: whoever comes without TLS, whatever they want"
    return {
        "Type": "AWS::SQS::QueuePolicy",
        "Metadata": {METADATA_KEY: {"stars": {"OnlyOverTls": reason}}},
        "Properties": {
            "Queues": [{"Ref": QUEUE}],
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [deny, *([_from(rules)] if rules else [])],
            },
        },
    }


def _from(rules: Sequence[str]) -> Json:
    return {
        "Sid": "FromRules",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": {"Fn::GetAtt": [QUEUE, "Arn"]},
        "Condition": {"ArnEquals": {"aws:SourceArn": [{"Fn::GetAtt": [rule, "Arn"]} for rule in rules]}},
    }
