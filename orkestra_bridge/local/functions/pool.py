"""A function's workers: as many as its invocations need, warm ones first."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections import deque
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any

from orkestra_bridge.errors import LocalRunError
from orkestra_bridge.local.functions import outcomes
from orkestra_bridge.local.functions.api import Reply, Request, RuntimeApi
from orkestra_bridge.local.functions.environment import worker_environment
from orkestra_bridge.local.functions.memory import exceeds
from orkestra_bridge.local.functions.model import Answer, FunctionSpec, Waiting, concurrent_starts
from orkestra_bridge.local.functions.parent import WorkerParent
from orkestra_bridge.local.functions.sandbox import Invocation, Sandbox

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self

PATIENCE = 0.005
"""Seconds to wait for a busy worker before another one is started: a start costs several times as much
CPU.
"""
MEMORY_CHECK = 0.1
"""Seconds between two looks at a worker's memory."""


class FunctionPool:
    """Runs one function; use as an async context manager.

    An invocation takes an idle worker if there is one. Else it waits in line, and a further worker is started
    when none has become free for `PATIENCE` seconds: short tasks share few workers, long ones get a worker
    each.
    """

    def __init__(self, spec: FunctionSpec) -> None:
        self._spec = spec
        self._api = RuntimeApi(self._answer)
        self._parent = WorkerParent(spec, self._exited)
        self._sandboxes: dict[str, Sandbox] = {}
        self._idle: list[Sandbox] = []
        self._line: deque[asyncio.Future[Sandbox]] = deque()
        self._starting: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._last_free = 0.0
        self.started = 0

    async def __aenter__(self) -> Self:
        await self._api.__aenter__()
        try:
            await self._parent.open()
        except BaseException:
            await self._api.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for task in self._starting:
            task.cancel()
        await asyncio.gather(*self._starting, return_exceptions=True)
        await self._parent.close()
        await self._api.__aexit__()

    async def invoke(self, event: Any, *, log: Path | None = None, waiting: Waiting = nullcontext) -> Answer:
        """Return the function's answer to an event, a JSON value.

        ``log`` is a file to which what the task prints is added; ``waiting`` makes a context for the time in
        which no worker is free. A function that is still running when its
        timeout is over, or when this call is cancelled, is killed with all processes that it has started.
        """
        request_id = str(uuid.uuid4())
        with waiting():
            sandbox = await self._take()
        if not sandbox.alive:
            return sandbox.failure_to_start(request_id)
        timeout = self._spec.timeout
        deadline = int((time.time() + timeout) * 1000)
        invocation = Invocation(
            request_id=request_id, event=json.dumps(event).encode(), deadline=deadline, log=log
        )
        watch = self._watch(sandbox, invocation)
        try:
            return await asyncio.wait_for(sandbox.invoke(invocation), timeout)
        except asyncio.TimeoutError:
            self._drop(sandbox)
            return outcomes.timed_out(request_id, timeout)
        except asyncio.CancelledError:
            self._drop(sandbox)
            raise
        finally:
            if watch is not None:
                watch.cancel()
            self._release(sandbox)

    async def _take(self) -> Sandbox:
        while self._idle:
            sandbox = self._idle.pop()
            if sandbox.alive:
                return sandbox
        loop = asyncio.get_running_loop()
        if not self._line:
            self._last_free = loop.time()
        place: asyncio.Future[Sandbox] = loop.create_future()
        self._line.append(place)
        self._grow()
        try:
            return await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._release(place.result())
            raise

    def _release(self, sandbox: Sandbox) -> None:
        """Give a worker to the first in line or let it idle; replace a dead one if somebody waits."""
        if sandbox.alive:
            self._last_free = asyncio.get_running_loop().time()
            if not self._hand_over(sandbox):
                self._idle.append(sandbox)
        self._grow()

    def _hand_over(self, sandbox: Sandbox) -> bool:
        while self._line:
            place = self._line.popleft()
            if not place.done():
                place.set_result(sandbox)
                return True
        return False

    def _grow(self) -> None:
        """Start a worker if that is worth its cost, and look again soon while somebody waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._line:
            return
        loop = asyncio.get_running_loop()
        waited = loop.time() - self._last_free
        while self._may_start(waited):
            task = asyncio.ensure_future(self._start())
            self._starting.add(task)
            task.add_done_callback(self._starting.discard)
        self._timer = loop.call_later(PATIENCE, self._grow)

    def _may_start(self, waited: float) -> bool:
        alive = len(self._sandboxes)
        starting = len(self._starting)
        if (
            starting >= min(len(self._line), concurrent_starts())
            or alive + starting >= self._spec.max_workers
        ):
            return False
        return alive == 0 or waited >= PATIENCE

    async def _start(self) -> None:
        """Start a worker and give it to the first in line; one that cannot start is given too, to say why."""
        self.started += 1
        sandbox = Sandbox(self.started, self._spec.arn)
        self._sandboxes[sandbox.token] = sandbox
        environment = worker_environment(self._spec, sandbox.number)
        api = f"{self._api.address}/{sandbox.token}"
        try:
            sandbox.pid = await self._parent.start(sandbox.number, api, environment)
            if await sandbox.ready:
                self._release(sandbox)
            else:
                self._sandboxes.pop(sandbox.token, None)
                self._hand_over(sandbox)
        except LocalRunError as problem:
            sandbox.alive = False
            self._sandboxes.pop(sandbox.token, None)
            self._fail_all(problem)

    def _fail_all(self, problem: LocalRunError) -> None:
        while self._line:
            place = self._line.popleft()
            if not place.done():
                place.set_exception(problem)

    async def _answer(self, request: Request) -> Reply:
        sandbox = self._sandboxes.get(request.token)
        return Reply(404) if sandbox is None else await sandbox.answer(request)

    def _exited(self, pid: int, status: int) -> None:
        for token, sandbox in list(self._sandboxes.items()):
            if sandbox.pid == pid:
                del self._sandboxes[token]
                sandbox.exited(status)

    def _drop(self, sandbox: Sandbox) -> None:
        sandbox.alive = False
        self._sandboxes.pop(sandbox.token, None)
        self._parent.kill(sandbox.pid)

    def _watch(self, sandbox: Sandbox, invocation: Invocation) -> asyncio.Task[None] | None:
        if self._spec.memory is None:
            return None
        return asyncio.ensure_future(self._watch_memory(sandbox, invocation, self._spec.memory))

    async def _watch_memory(self, sandbox: Sandbox, invocation: Invocation, limit: int) -> None:
        while not exceeds(sandbox.pid, limit):  # noqa: ASYNC110 - /proc tells only who asks
            await asyncio.sleep(MEMORY_CHECK)
        with suppress(asyncio.InvalidStateError):
            invocation.answer.set_result(outcomes.out_of_memory(invocation.request_id))
        self._drop(sandbox)
