"""Time for an execution: the real one, or one that jumps.

With `VirtualClock` a wait of a day and a retry after an hour cost nothing: whenever nothing is left to do but
to wait, its event loop moves its time to the next timer.  While work goes on outside of the loop
(`Clock.working`), time runs at its real pace, so that real time limits still hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import time
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, final

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Mapping

T = TypeVar("T")


class Clock(Protocol):
    """What the interpreter needs to know about time."""

    def now(self) -> datetime:
        """Return the time with its zone."""
        ...

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Return the result of a coroutine, run on an event loop whose timers follow this clock."""
        ...

    def working(self) -> contextlib.AbstractContextManager[None]:
        """Return a context in which something outside of the event loop is awaited."""
        ...


@final
class RealClock:
    """Time as it is."""

    def now(self) -> datetime:
        """Return the time in UTC."""
        return datetime.now(timezone.utc)

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run the coroutine with `asyncio.run`."""
        return asyncio.run(main)

    def working(self) -> contextlib.AbstractContextManager[None]:
        """Return a context that does nothing."""
        return contextlib.nullcontext()


@final
class VirtualClock:
    """Time that begins where it is told to and jumps over waiting; only `run` gives a loop that does so."""

    def __init__(self, start: datetime = datetime(2030, 1, 1, tzinfo=timezone.utc)) -> None:
        self._start = start
        self._elapsed = 0.0
        self._outside = 0

    def now(self) -> datetime:
        """Return the start plus the seconds that have passed."""
        return self._start + timedelta(seconds=self._elapsed)

    @property
    def elapsed(self) -> float:
        """Seconds of virtual time since the start."""
        return self._elapsed

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run the coroutine on a loop of this clock."""
        loop = _VirtualLoop(self)
        try:
            return loop.run_until_complete(main)
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Let time run at its real pace while something outside of the loop is awaited."""
        self._outside += 1
        try:
            yield
        finally:
            self._outside -= 1

    def pass_time(self, selector: selectors.BaseSelector, timeout: float | None) -> Any:
        """Return what `select` returns, having moved the time instead of waiting where that is allowed."""
        if timeout is not None and timeout > 0 and not self._outside:
            self._elapsed += timeout
            return selector.select(0)
        before = time.monotonic()
        ready = selector.select(timeout)
        if timeout != 0:
            self._elapsed += time.monotonic() - before
        return ready


class _JumpingSelector(selectors.BaseSelector):
    """The system's selector, asked through the clock."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._inner = selectors.DefaultSelector()

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._inner.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.modify(fileobj, events, data)

    def select(self, timeout: float | None = None) -> Any:
        return self._clock.pass_time(self._inner, timeout)

    def close(self) -> None:
        self._inner.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._inner.get_map()


class _VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose `time` is the clock's."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(_JumpingSelector(clock))
        self._of = clock

    def time(self) -> float:
        return self._of.elapsed


def iso(moment: datetime) -> str:
    """Return the moment as AWS writes it: UTC, milliseconds, ``Z``."""
    text = moment.astimezone(timezone.utc).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def millis(moment: datetime) -> int:
    """Return the milliseconds from 1970 to the moment, rounded down, as ``$millis()`` gives them."""
    return int(moment.timestamp() * 1000)
