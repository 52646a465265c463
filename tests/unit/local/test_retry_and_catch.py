"""Which errors a Retry or Catch takes, and how long a retry waits."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from orkestra_bridge.local.interpreter import Event, Execution, StatesError, TaskCall, VirtualClock, execute
from orkestra_bridge.local.interpreter.failures import matches
from orkestra_bridge.local.interpreter.retrying import delay_of


@pytest.mark.parametrize(
    ("error", "equals", "taken"),
    [
        ("Mine", ["Mine"], True),
        ("Mine", ["Other", "Mine"], True),
        ("Mine", ["Other"], False),
        ("Mine", ["States.ALL"], True),
        ("Mine", ["States.TaskFailed"], True),
        ("States.Timeout", ["States.TaskFailed"], False),
        ("States.Timeout", ["States.Timeout"], True),
        ("States.Timeout", ["States.ALL"], True),
        ("States.QueryEvaluationError", ["States.ALL"], True),
        ("States.Runtime", ["States.ALL"], False),
        ("States.Runtime", ["States.TaskFailed"], False),
        ("States.DataLimitExceeded", ["States.ALL"], False),
        ("States.DataLimitExceeded", ["States.DataLimitExceeded"], True),
        ("Mine", [], False),
    ],
)
def test_which_errors_match(error: str, equals: list[str], taken: bool) -> None:
    assert matches(error, equals) is taken


@pytest.mark.parametrize(
    ("retrier", "delays"),
    [
        ({}, [1, 2, 4]),
        ({"IntervalSeconds": 3, "BackoffRate": 1}, [3, 3, 3]),
        ({"IntervalSeconds": 10, "BackoffRate": 3, "MaxDelaySeconds": 50}, [10, 30, 50]),
        ({"IntervalSeconds": 2, "BackoffRate": 1.5}, [2, 3, 4.5]),
    ],
)
def test_delays(retrier: dict[str, Any], delays: list[float]) -> None:
    assert [delay_of(retrier, attempt) for attempt in (1, 2, 3)] == delays


def test_a_delay_has_an_end() -> None:
    assert delay_of({"BackoffRate": 10}, 5000) == 99_999_999


def failing(**fields: Any) -> dict[str, Any]:
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {},
        "End": True,
        **fields,
    }
    return {"QueryLanguage": "JSONata", "StartAt": "T", "States": {"T": state}}


def run(definition: dict[str, Any], *errors: str) -> tuple[Execution, VirtualClock, list[Event]]:
    """Run a machine whose task fails with these errors in turn, then succeeds."""
    clock, left = VirtualClock(), list(errors)
    events: list[Event] = []

    async def tasks(_: TaskCall) -> Any:
        if left:
            raise StatesError(left.pop(0))
        return "done"

    return clock.run(execute(definition, {}, tasks=tasks, clock=clock, on_event=events.append)), clock, events


def test_every_retrier_counts_its_own_attempts() -> None:
    definition = failing(
        Retry=[
            {"ErrorEquals": ["A"], "IntervalSeconds": 10, "BackoffRate": 1, "MaxAttempts": 2},
            {"ErrorEquals": ["B"], "IntervalSeconds": 100, "BackoffRate": 1, "MaxAttempts": 1},
        ]
    )
    ended, clock, events = run(definition, "A", "B", "A")
    assert ended.status == "SUCCEEDED"
    assert clock.elapsed == pytest.approx(120)
    assert [event.details["attempt"] for event in events if event.type == "TaskScheduled"] == [0, 1, 2, 3]
    ended, _, _ = run(definition, "A", "B", "B")
    assert (ended.status, ended.error) == ("FAILED", "B")


def test_jitter_shortens_delays() -> None:
    definition = failing(
        Retry=[{"ErrorEquals": ["A"], "IntervalSeconds": 100, "JitterStrategy": "FULL", "MaxAttempts": 3}]
    )
    _, clock, events = run(definition, "A", "A", "A")
    seconds = [event.details["seconds"] for event in events if event.type == "TaskRetried"]
    assert 0 < sum(seconds) == pytest.approx(clock.elapsed, abs=0.01)
    assert all(delay <= limit for delay, limit in zip(seconds, (100, 200, 400), strict=True))


def test_a_time_limit_holds_for_each_attempt() -> None:
    clock = VirtualClock()
    calls: list[int] = []

    async def tasks(call: TaskCall) -> Any:
        calls.append(call.attempt)
        await asyncio.sleep(10 if call.attempt == 0 else 4)
        return "done"

    definition = failing(TimeoutSeconds=5, Retry=[{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 2}])
    ended = clock.run(execute(definition, {}, tasks=tasks, clock=clock))
    assert (ended.status, ended.output, calls) == ("SUCCEEDED", "done", [0, 1])
    assert clock.elapsed == pytest.approx(11)


def test_a_time_limit_of_the_machine() -> None:
    definition = {
        "QueryLanguage": "JSONata",
        "TimeoutSeconds": 60,
        "StartAt": "W",
        "States": {"W": {"Type": "Wait", "Seconds": 61, "End": True}},
    }
    ended, clock, events = run(definition)
    assert (ended.status, ended.error) == ("TIMED_OUT", "States.Timeout")
    assert clock.elapsed == pytest.approx(60)
    assert events[-1].type == "ExecutionTimedOut"


@pytest.mark.parametrize(("seconds", "status"), [(4.0, "SUCCEEDED"), (6.0, "FAILED")])
def test_waiting_for_a_worker_does_not_count(seconds: float, status: str) -> None:
    async def tasks(call: TaskCall) -> Any:
        await asyncio.sleep(seconds / 2)
        for _ in range(2):
            with call.waiting():
                await asyncio.sleep(1000)
        await asyncio.sleep(seconds / 2)

    clock = VirtualClock()
    ended = clock.run(execute(failing(TimeoutSeconds=5), {}, tasks=tasks, clock=clock))
    assert ended.status == status
    assert ended.error == (None if status == "SUCCEEDED" else "States.Timeout")
    assert clock.elapsed == pytest.approx(2000 + min(seconds, 5))


def test_a_task_that_is_too_slow_may_clean_up() -> None:
    cleaned: list[str] = []

    async def tasks(_: TaskCall) -> Any:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(3)
            cleaned.append("up")

    clock = VirtualClock()
    ended = clock.run(execute(failing(TimeoutSeconds=5), {}, tasks=tasks, clock=clock))
    assert (ended.error, cleaned) == ("States.Timeout", ["up"])
    assert clock.elapsed == pytest.approx(8)
