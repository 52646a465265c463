"""The execution itself: from the first state to the last, and how it ended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from orkestra_bridge.local.interpreter.check import check_definition
from orkestra_bridge.local.interpreter.clock import Clock, iso
from orkestra_bridge.local.interpreter.document import Document, settle
from orkestra_bridge.local.interpreter.failures import TIMEOUT, StatesError
from orkestra_bridge.local.interpreter.model import Event, EventSink, Execution, Json, TaskRunner
from orkestra_bridge.local.interpreter.scope import Run, Scope, Visit
from orkestra_bridge.local.interpreter.states import STATE_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.local.interpreter.tokens import TaskTokens

ARN = "arn:aws:states:us-east-1:123456789012"
"""Region and account as AWS's documentation writes them: nothing here exists."""


def _ignore(_: Event) -> None:
    """Take an event that nobody wants."""


async def execute(
    definition: Mapping[str, Json],
    data: Json,
    *,
    tasks: TaskRunner,
    clock: Clock,
    on_event: EventSink = _ignore,
    name: str = "local",
    machine: str = "local",
    tokens: TaskTokens | None = None,
) -> Execution:
    """Run a JSONata state machine with this input and return how it ended.

    Await it on the clock's own loop: ``clock.run(execute(...))``. A failure of the machine is a value, not an
    exception. ``tokens`` are shared by executions whose states answer for tasks of each other.

    Raises LocalRunError: the definition has something in it that this interpreter does not know.
    """
    check_definition(definition)
    context = _context(data, clock, name, machine)
    run = Run(tasks=tasks, clock=clock, on_event=on_event, context=context, block=run_block, tokens=tokens)
    run.emit("ExecutionStarted", input=data)
    try:
        given = settle(data, "input")
        block = run_block(definition, given, Scope(run=run))
        output = (await asyncio.wait_for(block, definition.get("TimeoutSeconds"))).value
    except asyncio.TimeoutError:
        run.emit("ExecutionTimedOut", error=TIMEOUT)
        return Execution(status="TIMED_OUT", error=TIMEOUT)
    except StatesError as failure:
        run.emit("ExecutionFailed", error=failure.error, cause=failure.cause)
        return Execution(status="FAILED", error=failure.error, cause=failure.cause)
    run.emit("ExecutionSucceeded", output=output)
    return Execution(status="SUCCEEDED", output=output)


async def run_block(block: Mapping[str, Json], given: Document, scope: Scope) -> Document:
    """Return the output of the last state of a machine, a branch or an iteration.

    Raises StatesError: a state failed and nothing caught it.
    """
    name: str | None = block["StartAt"]
    while name is not None:
        state = block["States"][name]
        visit = Visit(scope, name, state, given)
        visit.emit(f"{state['Type']}StateEntered", input=given.value)
        outcome = await STATE_TYPES[state["Type"]](visit)
        visit.emit(f"{state['Type']}StateExited", output=outcome.output.value)
        given, name = outcome.output, outcome.next
    return given


def _context(data: Json, clock: Clock, name: str, machine: str) -> dict[str, Json]:
    """Return the part of ``$states.context`` that is the same for all states (AWS: "Context object")."""
    return {
        "Execution": {
            "Id": f"{ARN}:execution:{machine}:{name}",
            "Input": data,
            "Name": name,
            "RedriveCount": 0,
            "RoleArn": "arn:aws:iam::123456789012:role/local",
            "StartTime": iso(clock.now()),
        },
        "StateMachine": {"Id": f"{ARN}:stateMachine:{machine}", "Name": machine},
    }
