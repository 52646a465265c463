"""Branches run side by side, and nothing goes on after the first failure."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from orkestra_bridge.local.interpreter import StatesError, TaskCall, VirtualClock, execute

END = {"End": True}


def task(name: str, seconds: float) -> dict[str, Any]:
    resource = "arn:aws:states:::lambda:invoke"
    return {"Type": "Task", "Resource": resource, "Arguments": {"name": name, "seconds": seconds}, **END}


def parallel(*branches: tuple[str, float], **fields: Any) -> dict[str, Any]:
    blocks = [{"StartAt": name, "States": {name: task(name, seconds)}} for name, seconds in branches]
    state = {"Type": "Parallel", "Branches": blocks, **(fields or END)}
    return {"QueryLanguage": "JSONata", "StartAt": "P", "States": {"P": state}}


class Work:
    """Tasks that sleep; those named in ``failing`` then fail."""

    def __init__(self, *failing: str) -> None:
        self.failing = failing
        self.ended: list[str] = []
        self.cancelled: list[str] = []
        self.most = self.now = 0

    async def __call__(self, call: TaskCall) -> Any:
        name = call.arguments["name"]
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(call.arguments["seconds"])
        except asyncio.CancelledError:
            self.cancelled.append(name)
            raise
        finally:
            self.now -= 1
        if name in self.failing:
            raise StatesError("Failed")
        self.ended.append(name)
        return name


def test_the_longest_branch_decides() -> None:
    clock, work = VirtualClock(), Work()
    definition = parallel(("a", 30), ("b", 10), ("c", 20))
    ended = clock.run(execute(definition, {}, tasks=work, clock=clock))
    assert ended.output == ["a", "b", "c"]
    assert work.ended == ["b", "c", "a"]
    assert clock.elapsed == pytest.approx(30)


def test_the_first_failure_cancels_the_rest() -> None:
    clock, work = VirtualClock(), Work("b")
    ended = clock.run(execute(parallel(("a", 30), ("b", 10), ("c", 5)), {}, tasks=work, clock=clock))
    assert (ended.status, ended.error) == ("FAILED", "Failed")
    assert (work.ended, work.cancelled) == (["c"], ["a"])
    assert clock.elapsed == pytest.approx(10)


@pytest.mark.parametrize(
    ("concurrency", "seconds", "most"), [(0, 30, 40), (40, 30, 40), (7, 90, 7), (1, 600, 1)]
)
def test_a_map_keeps_to_its_concurrency(concurrency: int, seconds: float, most: int) -> None:
    clock, work = VirtualClock(), Work()
    state = {
        "Type": "Map",
        "Items": "{% [1..60] %}",
        "MaxConcurrency": concurrency,
        "ItemProcessor": {"StartAt": "T", "States": {"T": task("t", 10)}},
        **END,
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": "M", "States": {"M": state}}
    ended = clock.run(execute(definition, {}, tasks=work, clock=clock))
    assert ended.output == ["t"] * 60
    assert work.most == most
    assert clock.elapsed == pytest.approx({40: 20}.get(most, seconds))


def test_scopes_tell_where_a_state_stands() -> None:
    inner = parallel(("a", 1), ("b", 1))
    inner.pop("QueryLanguage")
    outer = {"Type": "Parallel", "Branches": [inner], **END}
    definition = {"QueryLanguage": "JSONata", "StartAt": "Q", "States": {"Q": outer}}
    clock, places = VirtualClock(), set()
    work = execute(
        definition,
        {},
        tasks=Work(),
        clock=clock,
        on_event=lambda event: places.add((event.scope, event.name)),
    )
    clock.run(work)
    assert {("", "Q"), ("Q[0]", "P"), ("Q[0]/P[0]", "a"), ("Q[0]/P[1]", "b")} <= places


def test_an_error_of_the_program_itself_is_not_a_failed_state() -> None:
    async def broken(_: TaskCall) -> Any:
        raise KeyError("a bug")

    clock = VirtualClock()
    with pytest.raises(KeyError):
        clock.run(execute(parallel(("a", 1), ("b", 1)), {}, tasks=broken, clock=clock))
