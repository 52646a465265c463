"""The time limit of one attempt of a task, which can stand still."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, final

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

T = TypeVar("T")


@final
class TimeLimit:
    """Seconds that a piece of work may take; None for no limit.

    On AWS every task finds a free worker, here it may have to wait for one: that time is not the task's, so
    the limit stands still meanwhile.
    """

    def __init__(self, seconds: float | None) -> None:
        self._left = seconds
        self._since = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def hold(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what the work returns; cancels it and raises asyncio.TimeoutError if it takes too long."""
        task = asyncio.ensure_future(work)
        self._start()
        try:
            either: set[asyncio.Future[Any]] = {task, self._over}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise asyncio.TimeoutError
        finally:
            self._stop()
            self._over.cancel()
            await _ended(task)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Stop the time while something is awaited that is not part of the work."""
        self._stop()
        try:
            yield
        finally:
            self._start()

    def _start(self) -> None:
        if self._left is not None and not self._over.done():
            loop = asyncio.get_running_loop()
            self._since = loop.time()
            self._timer = loop.call_later(self._left, self._expire)

    def _stop(self) -> None:
        if self._timer is not None and self._left is not None:
            self._timer.cancel()
            self._timer = None
            self._left = max(0.0, self._left - (asyncio.get_running_loop().time() - self._since))

    def _expire(self) -> None:
        if not self._over.done():
            self._over.set_result(None)


async def _ended(task: asyncio.Future[Any]) -> None:
    """Cancel the task unless it is done, and wait until it has cleaned up."""
    if task.done():
        return
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()
