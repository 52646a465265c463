"""Task tokens: a task that waits until somebody answers for it, and the calls that answer.

Source: AWS Step Functions developer guide, "Wait for a Callback with Task Token", and the API reference of
SendTaskSuccess, SendTaskFailure and SendTaskHeartbeat.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, final

from orkestra_bridge.local.interpreter.document import SIZE_LIMIT
from orkestra_bridge.local.interpreter.failures import HEARTBEAT_TIMEOUT, StatesError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orkestra_bridge.local.interpreter.model import Json

WAITING = ".waitForTaskToken"
_SDK = "arn:aws:states:::aws-sdk:sfn:"


@final
class Callback:
    """A task that waits; made by `TaskTokens.issue`."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._alive = asyncio.Event()

    def beat(self) -> None:
        """Start the time between two heartbeats anew."""
        self._alive.set()

    async def result(self, heartbeat: float | None) -> Json:
        """Return what the task was answered with.

        Raises StatesError: it was answered with a failure, or no heartbeat came for so many seconds.
        """
        while not self.answer.done():
            self._alive.clear()
            alive = asyncio.ensure_future(self._alive.wait())
            either: set[asyncio.Future[Any]] = {self.answer, alive}
            try:
                done, _ = await asyncio.wait(either, timeout=heartbeat, return_when=asyncio.FIRST_COMPLETED)
            finally:
                alive.cancel()
            if not done:
                raise StatesError(HEARTBEAT_TIMEOUT)
        return self.answer.result()


@final
class TaskTokens:
    """The tokens of one execution, or of several whose states answer for tasks of each other."""

    def __init__(self) -> None:
        self._waiting: dict[str, Callback] = {}
        self._issued = 0
        self._answers: Mapping[str, Callable[[Callback, Mapping[str, Json]], None]] = {
            f"{_SDK}sendTaskSuccess": _succeed,
            f"{_SDK}sendTaskFailure": _fail,
            f"{_SDK}sendTaskHeartbeat": lambda callback, _: callback.beat(),
        }

    def issue(self) -> Callback:
        """Return a callback with a new token."""
        self._issued += 1
        callback = Callback(f"token-{self._issued}")
        self._waiting[callback.token] = callback
        return callback

    def retire(self, callback: Callback) -> None:
        """Take a token back: whoever answers from now on is told that the task has ended."""
        del self._waiting[callback.token]
        if callback.answer.done() and not callback.answer.cancelled():
            callback.answer.exception()

    def takes(self, resource: str) -> bool:
        """Return True if the resource is one of the calls that answer."""
        return resource in self._answers

    def answer(self, resource: str, arguments: Mapping[str, Json]) -> Json:
        """Answer for a task and return the call's result, which is empty.

        Raises StatesError: the token is of no task, the task has ended, or the output is not JSON.
        """
        token = arguments.get("TaskToken")
        callback = self._waiting.get(token) if isinstance(token, str) else None
        if callback is None or callback.answer.done():
            if isinstance(token, str) and token.startswith("token-"):
                message = "Task Timed Out: 'Provided task does not exist anymore'"
                raise StatesError("Sfn.TaskTimedOutException", message)
            raise StatesError("Sfn.InvalidTokenException", "Invalid Token: 'Invalid token'")
        self._answers[resource](callback, arguments)
        return {}


def _succeed(callback: Callback, arguments: Mapping[str, Json]) -> None:
    output = arguments.get("Output")
    if not isinstance(output, str) or len(output.encode()) > SIZE_LIMIT:
        raise StatesError("Sfn.InvalidOutputException", "Invalid Output: 'not text of at most 256 KiB'")
    try:
        value = json.loads(output)
    except ValueError as problem:
        raise StatesError("Sfn.InvalidOutputException", f"Invalid Output: '{problem}'") from problem
    callback.answer.set_result(value)


def _fail(callback: Callback, arguments: Mapping[str, Json]) -> None:
    callback.answer.set_exception(StatesError(arguments.get("Error", ""), arguments.get("Cause")))
