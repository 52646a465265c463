"""Deferred tasks without a triggerer: their trigger is run for a while, and again later, until it fires.

A trigger looks at once and then sleeps between its looks. So each invocation runs it long enough for one look, and where
it has not fired, the state machine waits; the next invocation makes the trigger again from what `serialize` gave, as
Airflow's triggerer does after a restart. Then the task goes on with the method that it named.
"""

from __future__ import annotations

import importlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime import serde
from orkestra_bridge.runtime.rundates import parse_moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.runtime.instances import TaskInstance

# Seconds: enough for a look, whatever it has to import and connect to before.
ONE_LOOK = 20.0
INTERVAL = 60.0
_INTERVALS = (
    "poke_interval",
    "poll_interval",
    "polling_interval",
    "poll_sleep",
    "waiter_delay",
    "sleep_time",
)


def execute(task: Any, ti: TaskInstance, context: Any) -> Any:
    """Return what a task returns, however often it defers in between.

    Raises:
        PokeAgain: If its trigger has not fired; the state machine waits, and this is called again.
        TaskDeferred: If the state machine has no way to wait.
        Exception: What the task raises.
    """
    errors = importlib.import_module("airflow._impl.exceptions")
    left = ti.poking.deferred
    if left is None or "trigger" not in left:
        try:
            return task.execute(context)
        except errors.TaskDeferred as deferred:
            if not ti.poking.possible:
                raise
            left = _described(deferred, ti)
    while True:
        method, arguments = _fired(left, ti, errors)
        try:
            return task.resume_execution(method, arguments, context)
        except errors.TaskDeferred as deferred:
            left = _described(deferred, ti)


def _described(deferred: Any, ti: TaskInstance) -> dict[str, Any]:
    """Return a deferral as JSON values; raises XComSerializationError if an argument has no such form."""
    path, arguments = deferred.trigger.serialize()
    left: dict[str, Any] = {
        "trigger": path,
        "arguments": serde.encode(dict(arguments), task_id=ti.task_id, key="trigger"),
        "method": deferred.method_name,
        "kwargs": serde.encode(dict(deferred.kwargs or {}), task_id=ti.task_id, key="kwargs"),
    }
    if deferred.timeout is not None:
        limit = (
            deferred.timeout
            if isinstance(deferred.timeout, timedelta)
            else timedelta(seconds=deferred.timeout)
        )
        left["deadline"] = (ti.poking.now() + limit).isoformat()
    return left


def _fired(left: Mapping[str, Any], ti: TaskInstance, errors: Any) -> tuple[str, dict[str, Any]]:
    """Return the method to go on with and its arguments; raises PokeAgain if the trigger has not fired."""
    trigger = _made(left["trigger"], serde.decode(left["arguments"]))
    found = _event(trigger, ti)
    arguments = serde.decode(left["kwargs"])
    if found:
        return left["method"], {**arguments, "event": found[0]}
    remaining = float("inf")
    if "deadline" in left:
        remaining = (parse_moment(left["deadline"]) - ti.poking.now()).total_seconds()
    if remaining <= 0:
        return "__fail__", {"error": "Trigger timeout"}
    moment = getattr(trigger, "moment", None)
    seconds = (moment - ti.poking.now()).total_seconds() if moment else _interval(trigger)
    raise errors.PokeAgain(min(seconds, remaining), remaining=remaining, exact=moment is not None, left=left)


def _made(path: str, arguments: Mapping[str, Any]) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)(**arguments)


def _event(trigger: Any, ti: TaskInstance) -> tuple[Any] | None:
    """Return the payload of the trigger's event in a tuple, None if it does not fire soon."""
    moment = getattr(trigger, "moment", None)
    if isinstance(moment, datetime):
        return (moment,) if ti.poking.now() >= moment else None
    import asyncio  # a fifth of the cold start, and few packages have deferrable tasks

    async def first() -> tuple[Any] | None:
        async for event in trigger.run():
            return (event.payload,)
        return None

    async def one_look() -> tuple[Any] | None:
        try:
            return await asyncio.wait_for(first(), ONE_LOOK)
        except asyncio.TimeoutError:
            return None
        finally:
            await trigger.cleanup()

    return asyncio.run(one_look())


def _interval(trigger: Any) -> float:
    """Return the seconds between the looks of a trigger, as far as it says."""
    for name in _INTERVALS:
        value = getattr(trigger, name, None)
        if isinstance(value, timedelta):
            return value.total_seconds()
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0:
            return float(value)
    return INTERVAL
