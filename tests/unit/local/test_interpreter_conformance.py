"""Every machine of the case list ends as the specification says, on our interpreter and on moto's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from asl_cases import CASES, Case, work
from moto_engine import run_with_moto

from orkestra_bridge.local.interpreter import TaskCall, VirtualClock, execute

if TYPE_CHECKING:
    from orkestra_bridge.local.interpreter import Execution


def _name(case: Case) -> str:
    return case.name


def check(case: Case, ended: Execution) -> None:
    assert (ended.status, ended.error) == (case.status, case.error), ended.cause
    assert ended.output == case.output


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_our_interpreter(case: Case) -> None:
    clock = VirtualClock()

    async def runner(call: TaskCall) -> Any:
        payload = call.arguments["Payload"]
        if payload.get("do") == "take long":
            await asyncio.sleep(payload["seconds"])
            return {"Payload": {"heard": payload}}
        return {"Payload": work(payload)}

    check(case, clock.run(execute(case.definition, case.given, tasks=runner, clock=clock)))


@pytest.mark.parametrize("case", [case for case in CASES if not case.moto], ids=_name)
def test_moto_agrees(case: Case) -> None:
    check(case, run_with_moto(case.definition, case.given, work))


def test_case_names_are_unique() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))
