"""One worker: an execution environment that serves one invocation at a time, as on AWS."""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final
from urllib.parse import quote

from orkestra_bridge.local.functions import outcomes
from orkestra_bridge.local.functions.api import Reply, Request
from orkestra_bridge.local.functions.model import Answer

if TYPE_CHECKING:
    from pathlib import Path


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One event on its way.

    Attributes:
        deadline: Milliseconds since 1970.
        log: The file for what the task prints, or None.
    """

    request_id: str
    event: bytes
    deadline: int
    log: Path | None
    answer: asyncio.Future[Answer] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


@final
class Sandbox:
    """A worker as the Runtime API sees it.

    Attributes:
        ready: Done when the worker has asked for its first invocation, with True, or has failed to start,
        with False. alive: False once the process has ended or is to be killed.
    """

    def __init__(self, number: int, arn: str) -> None:
        self.number = number
        self.token = secrets.token_hex(16)
        self.pid = 0
        self.alive = True
        self.ready: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._arn = arn
        self._inbox: asyncio.Queue[Invocation] = asyncio.Queue()
        self._current: Invocation | None = None
        self._init_error: Answer | None = None

    async def answer(self, request: Request) -> Reply:
        """Serve a request of the worker."""
        if request.method == "GET" and request.path == "invocation/next":
            return await self._next()
        if request.method != "POST":
            return Reply(404)
        if request.path == "init/error":
            self._init_error = _answer(request.body, failed=True)
            return Reply(202)
        current = self._current
        if current is None or not request.path.startswith(f"invocation/{current.request_id}/"):
            return Reply(404)
        self._current = None
        self._finish(current, _answer(request.body, failed=request.path.endswith("/error")))
        return Reply(202)

    async def invoke(self, invocation: Invocation) -> Answer:
        """Return the worker's answer, or the one that Lambda gives for a worker that ended."""
        self._inbox.put_nowait(invocation)
        self._current = invocation
        return await invocation.answer

    def exited(self, status: int) -> None:
        """Take note that the process has ended."""
        self.alive = False
        if not self.ready.done():
            self.ready.set_result(False)
        if self._current is not None:
            self._finish(self._current, self._init_error or outcomes.exited(self._current.request_id, status))

    def failure_to_start(self, request_id: str) -> Answer:
        """Return why the worker never asked for an invocation."""
        return self._init_error or outcomes.exited(request_id, 1)

    async def _next(self) -> Reply:
        if not self.ready.done():
            self.ready.set_result(True)
        invocation = await self._inbox.get()
        headers = [
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", invocation.request_id),
            ("Lambda-Runtime-Deadline-Ms", str(invocation.deadline)),
            ("Lambda-Runtime-Invoked-Function-Arn", self._arn),
        ]
        if invocation.log is not None:
            headers.append(("Orkestra-Log-File", quote(str(invocation.log))))
        return Reply(200, invocation.event, tuple(headers))

    @staticmethod
    def _finish(invocation: Invocation, answer: Answer) -> None:
        if not invocation.answer.done():
            invocation.answer.set_result(answer)


def _answer(body: bytes, *, failed: bool) -> Answer:
    if len(body) > outcomes.RESPONSE_LIMIT:
        return outcomes.response_too_large(len(body))
    try:
        return Answer(payload=json.loads(body), failed=failed)
    except ValueError as problem:
        return outcomes.not_json(str(problem))
