"""Task: calls a service."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from orkestra_bridge.local.interpreter.document import Document, settle
from orkestra_bridge.local.interpreter.failures import TIMEOUT, StatesError
from orkestra_bridge.local.interpreter.model import TaskCall
from orkestra_bridge.local.interpreter.retrying import with_retries
from orkestra_bridge.local.interpreter.timelimit import TimeLimit

if TYPE_CHECKING:
    from orkestra_bridge.local.interpreter.scope import Outcome, Visit


async def run_task(visit: Visit) -> Outcome:
    """Return the outcome of the call, with retries and catchers applied."""
    return await with_retries(visit, _attempt)


async def _attempt(visit: Visit) -> Document:
    state = visit.state
    arguments = visit.evaluate(state["Arguments"], "Arguments") if "Arguments" in state else visit.input
    limit = visit.number(state["TimeoutSeconds"], "TimeoutSeconds") if "TimeoutSeconds" in state else None
    time_limit = TimeLimit(limit)
    call = TaskCall(
        resource=state["Resource"],
        arguments=arguments.value,
        state=visit.name,
        attempt=visit.retries,
        context=visit.context(),
        waiting=time_limit.standing_still,
    )
    visit.emit("TaskScheduled", resource=call.resource, arguments=call.arguments, attempt=call.attempt)
    try:
        answer = settle(await time_limit.hold(visit.run.tasks(call)), "result")
    except asyncio.TimeoutError:
        visit.emit("TaskTimedOut", error=TIMEOUT, attempt=call.attempt)
        raise StatesError(TIMEOUT) from None
    except StatesError as failure:
        visit.emit("TaskFailed", error=failure.error, cause=failure.cause, attempt=call.attempt)
        raise
    visit.emit("TaskSucceeded", result=answer.value, attempt=call.attempt)
    return answer
