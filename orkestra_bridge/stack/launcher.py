"""The launcher: an Express state machine between EventBridge Scheduler and the DAG's own machine.

It is there for what the Scheduler cannot do. The Scheduler may deliver twice (AWS: at least once), and two
expressions of one cron may name the same moment: the launcher derives the execution's name from the moment,
so that Step Functions refuses the second. The Scheduler refuses a start date that has passed, as Airflow's
mostly have: the launcher compares the moment with the first and last run. And it counts periods that no
expression can say. It costs a short execution of an Express workflow and no Lambda function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orkestra_bridge.asl.jsonata import expression, text

if TYPE_CHECKING:
    from orkestra_bridge.stack.model import Period, ScheduleView

RUN_INPUT = '{"run_type": "scheduled", "scheduled_time": "<aws.scheduler.scheduled-time>"}'
"""The run document; the Scheduler puts in the moment (AWS: "Adding context attributes"), ISO 8601 in UTC."""

_MOMENT = "$states.input.scheduled_time"
# the same name as naming.execution_name("scheduled__" + moment)
_NAME = f"'scheduled__' & $replace({_MOMENT}, /[^A-Za-z0-9_-]/, '_')"
_ALREADY = ["StepFunctions.ExecutionAlreadyExistsException"]
_MINUTE_MS = 60_000

CHECK, START, DONE, REPORT, FAILED = (
    "Is a run due",
    "Start the run",
    "Nothing to start",
    "Report the missed run",
    "Not started",
)

Json = dict[str, Any]


def launcher_definition(view: ScheduleView) -> Json:
    """Return the launcher's ASL; ``${StateMachineArn}`` and ``${UndeliveredRunsUrl}`` are to be filled in."""
    start_at, states = start_states(name=_NAME, document="$states.input")
    condition = due_condition(view)
    if condition:
        choice = {"Condition": expression(condition), "Next": start_at}
        states[CHECK] = {"Type": "Choice", "Choices": [choice], "Default": DONE}
    return {
        "Comment": "Starts one run for each moment of the schedule at which the DAG has one",
        "QueryLanguage": "JSONata",
        "StartAt": CHECK if condition else start_at,
        "TimeoutSeconds": 240,
        "States": states,
    }


def start_states(*, name: str, document: str) -> tuple[str, Json]:
    """Return the states that start a run, and which is the first; both texts are JSONata."""
    states = {START: _start(name, document), DONE: {"Type": "Succeed"}, REPORT: _report(), FAILED: _failed()}
    return START, states


def due_condition(view: ScheduleView) -> str:
    """Return JSONata that is true if a run is due at the scheduled time; empty if one always is."""
    now = f"$toMillis({_MOMENT})"
    parts = []
    if view.start:
        parts.append(f"{now} >= $toMillis({text(view.start)})")
    if view.end:
        parts.append(f"{now} <= $toMillis({text(view.end)})")
    if view.period:
        parts.append(_on_period(now, view.period))
    return " and ".join(parts)


def _on_period(now: str, period: Period) -> str:
    minutes = f"$floor({now} / {_MINUTE_MS}) - $floor($toMillis({text(period.anchor)}) / {_MINUTE_MS})"
    return f"({minutes}) % {period.minutes} = 0"


def _start(name: str, document: str) -> Json:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution",
        "Arguments": {
            "StateMachineArn": "${StateMachineArn}",
            "Name": expression(name),
            "Input": expression(document),
        },
        "Retry": [
            {"ErrorEquals": _ALREADY, "MaxAttempts": 0},
            {
                "ErrorEquals": ["States.ALL"],
                "IntervalSeconds": 5,
                "MaxAttempts": 4,
                "BackoffRate": 2,
                "JitterStrategy": "FULL",
            },
        ],
        "Catch": [
            {"ErrorEquals": _ALREADY, "Next": DONE},
            {"ErrorEquals": ["States.ALL"], "Next": REPORT},
        ],
        "End": True,
    }


def _report() -> Json:
    body = "$string({'run': $states.context.Execution.Input, 'error': $states.input})"
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage",
        "Arguments": {"QueueUrl": "${UndeliveredRunsUrl}", "MessageBody": expression(body)},
        "Next": FAILED,
    }


def _failed() -> Json:
    cause = "The run was not started; the queue of undelivered runs has its input and the error"
    return {"Type": "Fail", "Error": "RunNotStarted", "Cause": cause}
