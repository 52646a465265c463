"""Executions of the state machines of a DAG's parts, which its state machine starts and waits for.

Source: AWS Step Functions developer guide, "Start a new AWS Step Functions state machine from a running execution", and
the API reference of StartExecution and DescribeExecution.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, final

from orkestra_bridge.errors import LocalRunError
from orkestra_bridge.local.interpreter import StatesError, execute
from orkestra_bridge.local.interpreter.clock import iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.local.interpreter import (
        Clock,
        Event,
        EventSink,
        Json,
        TaskCall,
        TaskRunner,
        TaskTokens,
    )

START = "arn:aws:states:::states:startExecution.sync:2"
_FIELDS = frozenset({"StateMachineArn", "Name", "Input"})


@final
class Executions:
    """Starts executions of state machines by ARN; their states answer for tasks of each other by ``tokens``."""

    def __init__(
        self, machines: Mapping[str, Json], *, clock: Clock, tokens: TaskTokens, on_event: EventSink
    ) -> None:
        self._machines = machines
        self._clock = clock
        self._tokens = tokens
        self._on_event = on_event
        self._started: set[tuple[str, str]] = set()

    async def start(self, call: TaskCall, tasks: TaskRunner) -> Json:
        """Run an execution to its end, and return it as ``startExecution.sync:2`` does: input and output are JSON.

        Raises:
            StatesError: There is no such machine, it has had an execution of this name, or the execution did not succeed.
            LocalRunError: The call has something in it that is not known here.
        """
        arguments = call.arguments
        if set(arguments) != _FIELDS:
            raise LocalRunError(
                f"startExecution with {', '.join(sorted(arguments))} is not understood on this machine",
                remedy="run it on AWS, or mock the state",
            )
        arn, name, given = arguments["StateMachineArn"], arguments["Name"], arguments["Input"]
        if arn not in self._machines:
            raise StatesError(
                "StepFunctions.StateMachineDoesNotExistException", f"State Machine Does Not Exist: '{arn}'"
            )
        if (arn, name) in self._started:
            raise StatesError(
                "StepFunctions.ExecutionAlreadyExistsException", f"Execution Already Exists: '{name}'"
            )
        self._started.add((arn, name))
        machine, began = arn.rpartition(":")[2], iso(self._clock.now())
        ended = await execute(
            self._machines[arn],
            given,
            tasks=tasks,
            clock=self._clock,
            on_event=lambda event: self._hear(event, machine),
            name=name,
            machine=machine,
            tokens=self._tokens,
        )
        described = {
            "ExecutionArn": f"{arn.replace(':stateMachine:', ':execution:')}:{name}",
            "Input": given,
            "InputDetails": {"Included": True},
            "Name": name,
            "StartDate": began,
            "StateMachineArn": arn,
            "Status": ended.status,
            "StopDate": iso(self._clock.now()),
        }
        if ended.status != "SUCCEEDED":
            problem = {"Error": ended.error, "Cause": ended.cause}
            raise StatesError("States.TaskFailed", json.dumps({**described, **problem}))
        return {**described, "Output": ended.output, "OutputDetails": {"Included": True}}

    def _hear(self, event: Event, machine: str) -> None:
        """Pass on what happens in a part, with the part as its outermost scope; the run has its own start and end."""
        if event.name:
            self._on_event(replace(event, scope=f"{machine}/{event.scope}" if event.scope else machine))
