"""Machine -> the JSON that Step Functions takes."""

from __future__ import annotations

from typing import Any

from typing_extensions import assert_never

from orkestra_bridge.asl.model import (
    ChoiceState,
    FailState,
    Machine,
    MapState,
    ParallelState,
    PassState,
    Retrier,
    State,
    SucceedState,
    TaskState,
    WaitState,
)


def to_asl(machine: Machine) -> dict[str, Any]:
    """Return the whole definition; keys stand in the order in which people read them."""
    return _without_none(
        {
            "Comment": machine.comment,
            "QueryLanguage": "JSONata",
            "TimeoutSeconds": machine.timeout,
            **_body(machine),
        }
    )


def _body(machine: Machine) -> dict[str, Any]:
    return {
        "StartAt": machine.start_at,
        "States": {name: _state(state) for name, state in machine.states.items()},
    }


def _state(state: State) -> dict[str, Any]:  # noqa: PLR0911
    match state:
        case TaskState():
            return _task(state)
        case PassState():
            return _pass(state)
        case WaitState():
            return _wait(state)
        case ParallelState():
            return _parallel(state)
        case MapState():
            return _map(state)
        case ChoiceState():
            choices = [{"Condition": rule.condition, "Next": rule.next} for rule in state.choices]
            return _without_none(
                {"Type": "Choice", "Comment": state.comment, "Choices": choices, "Default": state.default}
            )
        case SucceedState():
            return _without_none({"Type": "Succeed", "Comment": state.comment})
        case FailState():
            return {"Type": "Fail", "Error": state.error, "Cause": state.cause}
        case _:
            assert_never(state)


def _task(state: TaskState) -> dict[str, Any]:
    catch = [
        _without_none(
            {
                "ErrorEquals": list(catcher.errors),
                "Assign": catcher.assign,
                "Output": catcher.output,
                "Next": catcher.next,
            }
        )
        for catcher in state.catch
    ]
    return _without_none(
        {
            "Type": "Task",
            "Comment": state.comment,
            "Resource": state.resource,
            "Arguments": state.arguments,
            "TimeoutSeconds": state.timeout,
            "HeartbeatSeconds": state.heartbeat,
            "Retry": [_retrier(retrier) for retrier in state.retry] or None,
            "Catch": catch or None,
            "Assign": state.assign,
            "Output": state.output,
            **_onward(state.next),
        }
    )


def _pass(state: PassState) -> dict[str, Any]:
    return _without_none(
        {
            "Type": "Pass",
            "Comment": state.comment,
            "Assign": state.assign,
            "Output": state.output,
            **_onward(state.next),
        }
    )


def _wait(state: WaitState) -> dict[str, Any]:
    return _without_none(
        {"Type": "Wait", "Comment": state.comment, "Seconds": state.seconds, "Next": state.next}
    )


def _parallel(state: ParallelState) -> dict[str, Any]:
    return _without_none(
        {
            "Type": "Parallel",
            "Comment": state.comment,
            "Arguments": state.arguments,
            "Branches": [_body(branch) for branch in state.branches],
            "Output": state.output,
            **_onward(state.next),
        }
    )


def _map(state: MapState) -> dict[str, Any]:
    mode = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"} if state.distributed else {"Mode": "INLINE"}
    return _without_none(
        {
            "Type": "Map",
            "Comment": state.comment,
            "Items": state.items,
            "ItemSelector": state.selector,
            "MaxConcurrency": state.at_once,
            "ItemProcessor": {"ProcessorConfig": mode, **_body(state.processor)},
            "Output": state.output,
            **_onward(state.next),
        }
    )


def _retrier(retrier: Retrier) -> dict[str, Any]:
    if retrier.attempts == 0:
        return {"ErrorEquals": list(retrier.errors), "MaxAttempts": 0}
    return _without_none(
        {
            "ErrorEquals": list(retrier.errors),
            "IntervalSeconds": retrier.interval,
            "MaxAttempts": retrier.attempts,
            "BackoffRate": retrier.backoff,
            "MaxDelaySeconds": retrier.max_delay,
        }
    )


def _onward(following: str | None) -> dict[str, Any]:
    return {"End": True} if following is None else {"Next": following}


def _without_none(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}
