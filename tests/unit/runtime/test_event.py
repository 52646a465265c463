"""What a state passes, as the rest of the runtime reads it."""

from __future__ import annotations

from typing import Any

from orkestra_bridge.runtime.event import unpacked

CONTEXT: dict[str, Any] = {
    "Execution": {
        "Id": "arn:aws:states:us-east-1:123456789012:execution:etl:run",
        "Input": {"run_id": "manual__1", "conf": {"a": 1}},
        "Name": "run",
        "RedriveCount": 0,
        "RoleArn": "arn:aws:iam::123456789012:role/local",
        "StartTime": "2024-03-01T00:00:00.000Z",
    },
    "State": {"EnteredTime": "2024-03-01T00:00:01.000Z", "Name": "a", "RetryCount": 2},
    "StateMachine": {"Id": "arn:aws:states:us-east-1:123456789012:stateMachine:etl", "Name": "etl"},
}


def test_the_context_object_is_taken_apart() -> None:
    assert unpacked({"task_id": "a", "ledger": {}, "context": CONTEXT}) == {
        "task_id": "a",
        "ledger": {},
        "run": {"run_id": "manual__1", "conf": {"a": 1}},
        "execution": {
            "id": "arn:aws:states:us-east-1:123456789012:execution:etl:run",
            "name": "run",
            "start_time": "2024-03-01T00:00:00.000Z",
        },
        "attempt": 2,
    }


def test_an_event_without_context_is_left_alone() -> None:
    event = {"task_id": "a", "run": {"run_id": "r"}, "attempt": 1, "ledger": {"b": {"state": "success"}}}
    assert unpacked(event) == event
