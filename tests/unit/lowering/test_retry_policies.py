"""Tasks whose retry_policy decides about another try: the function says how long, and the machine waits."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workflows import a_task, a_workflow

from orkestra_bridge.ir.model import Attribute, Retry
from orkestra_bridge.ir.places import Container
from orkestra_bridge.local.interpreter import StatesError, VirtualClock, execute
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.lowering.poll_limits import EVENTS_PER_WAIT, waiting_events
from orkestra_bridge.passes.accounting import account
from orkestra_bridge.runtime.poking import NOTE, WAITS

if TYPE_CHECKING:
    from orkestra_bridge.local.interpreter import TaskCall

POLICY = (Attribute(name="retry_policy", value="ExceptionRetryPolicy"),)
TASK = a_task("a", retry=Retry(attempts=2, delay=60, policy=True), attributes=POLICY)


def waits(seconds: int, tries: int) -> StatesError:
    note = base64.b64encode(json.dumps({"tries": tries, "seconds": seconds}).encode()).decode()
    return StatesError(WAITS, json.dumps({"errorMessage": f"not yet{NOTE}{note}]", "errorType": WAITS}))


def test_the_machine_waits_as_long_as_the_function_says() -> None:
    clock = VirtualClock()
    told: list[tuple[float, Any]] = []
    answers: list[Any] = [waits(300, 2), waits(30, 3), {"state": "success", "tries": 3}]

    async def answer(call: TaskCall) -> Any:
        told.append((clock.elapsed, call.arguments["Payload"]["waiting"]["before"].get("tries")))
        found = answers.pop(0)
        if isinstance(found, StatesError):
            raise found
        return {"Payload": found}

    definition = lower(a_workflow(TASK)).definition
    clock.run(execute(definition, {}, tasks=answer, clock=clock))
    assert [(round(time - told[0][0]), tries) for time, tries in told] == [(0, None), (300, 2), (330, 3)]


def test_waits_count_as_events() -> None:
    workflow = a_workflow(TASK, a_task("b"))
    assert [waiting_events(workflow, task) for task in workflow.tasks] == [2 * EVENTS_PER_WAIT, 0]


def test_only_a_container_cannot_ask_a_policy() -> None:
    contained = replace(TASK, container=Container(reason="it was asked for", cpu=256, memory=512))
    assert account(a_workflow(TASK)) == ()
    assert [finding.id for finding in account(a_workflow(contained))] == ["OB215"]
    assert "Wait" not in str(lower(a_workflow(contained)).definition)
    assert not replace(TASK, retry=Retry(policy=True)).tries_by_policy
