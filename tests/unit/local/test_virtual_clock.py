"""Time that jumps: waiting costs nothing, order is kept, and work outside of the loop stops the jumping."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import datetime, timedelta, timezone

import pytest

from orkestra_bridge.local.interpreter import RealClock, VirtualClock
from orkestra_bridge.local.interpreter.clock import iso


def test_a_day_passes_at_once() -> None:
    clock = VirtualClock()
    began = time.monotonic()
    clock.run(asyncio.sleep(86_400))
    assert clock.elapsed == pytest.approx(86_400)
    assert time.monotonic() - began < 5


def test_sleepers_wake_in_the_order_of_their_times() -> None:
    clock = VirtualClock()
    woken: list[tuple[float, float]] = []

    async def sleeper(seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append((seconds, round(clock.elapsed, 3)))

    async def main() -> None:
        await asyncio.gather(*(sleeper(seconds) for seconds in (30, 10, 20, 10)))

    clock.run(main())
    assert woken == [(10, 10.0), (10, 10.0), (20, 20.0), (30, 30.0)]


def test_time_limits_follow_the_clock() -> None:
    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.sleep(100), 50)

    clock = VirtualClock()
    clock.run(main())
    assert clock.elapsed == pytest.approx(50)


def test_work_outside_is_awaited_in_real_time() -> None:
    clock = VirtualClock()

    async def main() -> str:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[str] = loop.create_future()
        threading.Timer(0.1, lambda: loop.call_soon_threadsafe(done.set_result, "done")).start()
        with clock.working():
            return await asyncio.wait_for(done, 3600)

    assert clock.run(main()) == "done"
    assert 0.05 < clock.elapsed < 60


def test_now_moves_with_the_time() -> None:
    start = datetime(2024, 2, 28, tzinfo=timezone.utc)
    clock = VirtualClock(start)
    clock.run(asyncio.sleep(2 * 86_400))
    assert timedelta(days=2) <= clock.now() - start < timedelta(days=2, seconds=1)
    assert iso(clock.now()).startswith("2024-03-01T00:00:00.")


def test_the_real_clock_is_real() -> None:
    clock = RealClock()
    before = datetime.now(timezone.utc)
    with clock.working():
        assert clock.run(asyncio.sleep(0, "result")) == "result"
    assert before <= clock.now() <= datetime.now(timezone.utc)


def test_times_are_written_as_aws_writes_them() -> None:
    moment = datetime(2024, 3, 1, 2, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=2)))
    assert iso(moment) == "2024-03-01T00:00:00.123Z"
