"""Joins when the calls to DynamoDB take time, overtake each other, fail after they have worked, and come twice."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from simulate import expected_run, expected_states
from workflows import from_edges

from orkestra_bridge.ir.serialize import to_document
from orkestra_bridge.local.interpreter import StatesError, TaskCall, VirtualClock, execute, millis
from orkestra_bridge.local.services.runner import ServiceTasks
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.runtime.verdict import verdict_of

RULES = ("all_success", "all_done", "none_failed", "one_success", "one_failed", "one_done")


class Cloud:
    """Lambda and DynamoDB with latencies; every so often an answer gets lost on its way back, and once a call."""

    def __init__(
        self, workflow: Any, outcomes: dict[str, str], chance: random.Random, clock: VirtualClock
    ) -> None:
        self._clock = clock
        self._document = to_document(workflow)
        self._outcomes = outcomes
        self._chance = chance
        self._services = ServiceTasks(self._invoke)
        self.calls: list[str] = []
        self.states: dict[str, str] = {}
        self.ended: dict[str, float] = {}

    async def __call__(self, call: TaskCall) -> Any:
        if call.resource.endswith("lambda:invoke"):
            return await self._invoke(call)
        await self._latency()
        if self._chance.random() < 0.1:
            raise StatesError("DynamoDB.ProvisionedThroughputExceededException")
        answer = await self._services(call)
        await self._latency()
        if self._chance.random() < 0.1:
            raise StatesError("DynamoDB.SdkClientException", "the connection was closed")
        return answer

    async def _latency(self) -> None:
        await asyncio.sleep(self._chance.choice([0, 0, 0.5, 1, 2.5]))

    async def _invoke(self, call: TaskCall) -> Any:
        payload = call.arguments["Payload"]
        task_id = payload["task_id"]
        self.calls.append(task_id)
        verdict = verdict_of(task_id, self._document, payload["ledger"])
        if verdict.decision != "run":
            self.states[task_id] = verdict.decision
            return {"Payload": verdict.entry()}
        self.states[task_id] = self._outcomes[task_id]
        await asyncio.sleep(self._chance.choice([0, 1, 1, 2, 3]))
        self.ended[task_id] = self._clock.elapsed
        if self.states[task_id] == "failed":
            raise StatesError("ValueError", '{"errorMessage": "meant to fail"}')
        now = millis(self._clock.now())
        return {"Payload": {"state": self.states[task_id], "tries": 1, "at": now}}


@pytest.mark.parametrize("seed", range(150))
def test_every_task_runs_exactly_once_and_ends_as_it_should(seed: int) -> None:
    chance = random.Random(seed)
    names = [f"t{i}" for i in range(chance.randint(4, 10))]
    edges = [(u, v) for i, u in enumerate(names) for v in names[i + 1 :] if chance.random() < 0.35]
    fields = {name: {"trigger_rule": chance.choice(RULES)} for name in names}
    workflow = from_edges(names, edges, **fields)
    outcomes = {name: chance.choice(["success", "failed", "skipped"]) for name in names}
    clock = VirtualClock()
    cloud = Cloud(workflow, outcomes, chance, clock)
    # if a report were lost, somebody would wait for ever
    definition = {**lower(workflow, "token").definition, "TimeoutSeconds": 3600}
    ended = clock.run(execute(definition, {}, tasks=cloud, clock=clock))
    expected = expected_states(workflow, outcomes, cloud.ended)
    assert sorted(cloud.calls) == sorted(names)
    assert cloud.states == expected
    assert ended.status == expected_run(workflow, expected), ended.cause


@pytest.mark.parametrize("delay", [0.0, 3.0])
def test_a_matching_report_is_enough_even_if_it_comes_before_the_task_waits(delay: float) -> None:
    workflow = from_edges("abc", [("a", "c"), ("b", "c")], c={"trigger_rule": "one_success"})
    clock = VirtualClock()
    started: dict[str, float] = {}

    async def invoke(call: TaskCall) -> Any:
        task_id = call.arguments["Payload"]["task_id"]
        started[task_id] = clock.elapsed
        await asyncio.sleep({"a": 1, "b": 50}.get(task_id, 0))
        return {"Payload": {"state": "success", "tries": 1}}

    services = ServiceTasks(invoke)

    async def slow_to_wait(call: TaskCall) -> Any:
        await asyncio.sleep(delay if call.resource.endswith(".waitForTaskToken") else 0)
        return await services(call)

    definition = {**lower(workflow, "token").definition, "TimeoutSeconds": 3600}
    clock.run(execute(definition, {}, tasks=slow_to_wait, clock=clock))
    assert started["c"] == pytest.approx(max(1, delay))
