"""Task: calls a service, and waits for an answer if it has handed out a task token."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from orkestra_bridge.local.interpreter.document import Document, settle
from orkestra_bridge.local.interpreter.failures import TIMEOUT, StatesError
from orkestra_bridge.local.interpreter.model import TaskCall
from orkestra_bridge.local.interpreter.retrying import with_retries
from orkestra_bridge.local.interpreter.timelimit import TimeLimit
from orkestra_bridge.local.interpreter.tokens import WAITING, Callback

if TYPE_CHECKING:
    from orkestra_bridge.local.interpreter.model import Json
    from orkestra_bridge.local.interpreter.scope import Outcome, Visit


async def run_task(visit: Visit) -> Outcome:
    """Return the outcome of the call, with retries and catchers applied."""
    return await with_retries(visit, _attempt)


async def _attempt(visit: Visit) -> Document:
    if not visit.state["Resource"].endswith(WAITING):
        return await _call(visit, None)
    callback = visit.run.tokens.issue()
    visit.token = callback.token
    try:
        return await _call(visit, callback)
    finally:
        visit.token = None
        visit.run.tokens.retire(callback)


async def _call(visit: Visit, callback: Callback | None) -> Document:
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
        answering=visit.run.tokens.answer,
    )
    visit.emit("TaskScheduled", resource=call.resource, arguments=call.arguments, attempt=call.attempt)
    try:
        answer = settle(await time_limit.hold(_answer(visit, call, callback)), "result")
    except asyncio.TimeoutError:
        visit.emit("TaskTimedOut", error=TIMEOUT, attempt=call.attempt)
        raise StatesError(TIMEOUT) from None
    except StatesError as failure:
        visit.emit("TaskFailed", error=failure.error, cause=failure.cause, attempt=call.attempt)
        raise
    visit.emit("TaskSucceeded", result=answer.value, attempt=call.attempt)
    return answer


async def _answer(visit: Visit, call: TaskCall, callback: Callback | None) -> Json:
    """Return the result of the service, or of whoever answers for the task if it waits for that."""
    if visit.run.tokens.takes(call.resource):
        return visit.run.tokens.answer(call.resource, call.arguments)
    submitted = await visit.run.tasks(call)
    if callback is None:
        return submitted
    visit.emit("TaskSubmitted", output=submitted)
    beat = visit.state.get("HeartbeatSeconds")
    return await callback.result(None if beat is None else visit.number(beat, "HeartbeatSeconds"))
