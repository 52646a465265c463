"""A task that waits for its token: who answers, with what, and when nobody does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asl_case import END, block, machine

from orkestra_bridge.local.interpreter import Execution, TaskCall, VirtualClock, execute

WAIT = "arn:aws:states:::aws-sdk:sqs:sendMessage.waitForTaskToken"
SFN = "arn:aws:states:::aws-sdk:sfn:"
TOKEN = {"TaskToken": "{% $states.input.token %}"}


class Desk:
    """Takes the tokens that are handed out, and has them for whoever asks, once it has waited a while."""

    def __init__(self) -> None:
        self.tokens: list[str] = []

    async def __call__(self, call: TaskCall) -> Any:
        if call.resource == WAIT:
            assert call.context["Task"]["Token"] == call.arguments["token"]
            self.tokens.append(call.arguments["token"])
            return {"MessageId": "1"}
        await asyncio.sleep(call.arguments["seconds"])
        return {"token": self.tokens[-1]}


def run(*answers: tuple[str, Any], seconds: float = 5, **waiting: Any) -> tuple[Execution, float]:
    """Run a task that waits beside a branch that answers for it after some seconds, one call after the other."""
    names = [f"Answer{number}" for number in range(len(answers))]
    following = [{"Next": name} for name in names[1:]] + [END]
    states: dict[str, Any] = {
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"seconds": seconds},
            "Next": names[0],
        }
    }
    for name, onward, (action, arguments) in zip(names, following, answers, strict=True):
        states[name] = {
            "Type": "Task",
            "Resource": SFN + action,
            "Arguments": {**TOKEN, **arguments},
            "Output": "{% $states.input %}",
            **onward,
        }
    wait = {
        "Type": "Task",
        "Resource": WAIT,
        "Arguments": {"token": "{% $states.context.Task.Token %}"},
        **END,
        **waiting,
    }
    definition = machine(
        "P",
        P={
            "Type": "Parallel",
            "Branches": [block("Wait", Wait=wait), block("Ask", **states)],
            "Output": "{% $states.result[0] %}",
            **END,
        },
    )
    clock = VirtualClock()
    return clock.run(execute(definition, {}, tasks=Desk(), clock=clock)), clock.elapsed


def test_success_is_the_result_of_the_task() -> None:
    ended, elapsed = run(("sendTaskSuccess", {"Output": '{"n": 1}'}))
    assert (ended.status, ended.output) == ("SUCCEEDED", {"n": 1})
    assert elapsed == pytest.approx(5)


def test_failure_is_the_error_of_the_task() -> None:
    ended, _ = run(("sendTaskFailure", {"Error": "Broken", "Cause": "on purpose"}))
    assert (ended.status, ended.error, ended.cause) == ("FAILED", "Broken", "on purpose")


def test_heartbeats_keep_a_task_waiting() -> None:
    beats: list[tuple[str, Any]] = [("sendTaskHeartbeat", {})] * 3
    ended, _ = run(*beats, ("sendTaskSuccess", {"Output": "7"}), HeartbeatSeconds=6)
    assert ended.output == 7


def test_a_task_without_heartbeats_fails() -> None:
    ended, elapsed = run(("sendTaskSuccess", {"Output": "7"}), HeartbeatSeconds=2)
    assert ended.error == "States.HeartbeatTimeout"
    assert elapsed == pytest.approx(2)


def test_the_time_limit_holds_while_a_task_waits() -> None:
    ended, elapsed = run(("sendTaskSuccess", {"Output": "7"}), TimeoutSeconds=3)
    assert ended.error == "States.Timeout"
    assert elapsed == pytest.approx(3)


def test_a_token_can_be_used_once() -> None:
    twice = [("sendTaskSuccess", {"Output": "7"})] * 2
    assert run(*twice)[0].error == "Sfn.TaskTimedOutException"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"Output": "not JSON"}, "Sfn.InvalidOutputException"),
        ({"Output": {"not": "text"}}, "Sfn.InvalidOutputException"),
        ({"Output": "7", "TaskToken": "made up"}, "Sfn.InvalidTokenException"),
    ],
)
def test_answers_that_are_none(arguments: Any, error: str) -> None:
    assert run(("sendTaskSuccess", arguments))[0].error == error


def test_each_attempt_has_a_token_of_its_own() -> None:
    again = [{"ErrorEquals": ["Broken"], "MaxAttempts": 1, "IntervalSeconds": 1}]
    ended, _ = run(
        ("sendTaskFailure", {"Error": "Broken"}), ("sendTaskSuccess", {"Output": "7"}), Retry=again
    )
    assert ended.error == "Sfn.TaskTimedOutException"
