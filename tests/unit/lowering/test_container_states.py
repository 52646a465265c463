"""A task in a container: when one is started, what it is told, what becomes of its answer, and of silence."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from workflows import a_task, a_workflow

from orkestra_bridge.asl.check import check
from orkestra_bridge.ir.model import Attribute, Expansion, MappedGroup, Retry, Task, Workflow
from orkestra_bridge.ir.places import Container
from orkestra_bridge.ir.serialize import to_document
from orkestra_bridge.local.interpreter import Execution, StatesError, TaskCall, VirtualClock, execute
from orkestra_bridge.local.services.runner import ServiceTasks
from orkestra_bridge.lowering.container import DEFINITION, HEARTBEAT, PLACE, RUN_AND_WAIT
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.lowering.task import FUNCTION
from orkestra_bridge.runtime.event import unpacked
from orkestra_bridge.runtime.handover import ATTEMPT, EVENT, TOKEN, pack, unpack
from orkestra_bridge.runtime.verdict import verdict_of

HERE = Container(reason="it was asked for", cpu=1024, memory=4096)
ANSWERS = "arn:aws:states:::aws-sdk:sfn:"


def contained(task_id: str, *upstream: str, **fields: Any) -> Task:
    return a_task(task_id, *upstream, container=HERE, **fields)


class Cloud:
    """Lambda and ECS in one: containers answer after a second, as `answers` says for each task, or never."""

    def __init__(self, workflow: Workflow, **answers: Any) -> None:
        self.workflow = to_document(workflow)
        self.answers = answers
        self.started: list[tuple[str, int, int]] = []
        self.calls: list[Any] = []
        self._later: set[asyncio.TimerHandle] = set()

    async def __call__(self, call: TaskCall) -> Any:
        if call.resource == RUN_AND_WAIT:
            return self.run_task(call)
        event = unpacked(call.arguments["Payload"])
        self.calls.append(event)
        if event.get("callback"):
            return {"Payload": {**event["ledger"][event["task_id"]], "xcom": {"called": True}}}
        return {"Payload": self.entry(event)}

    def entry(self, event: dict[str, Any]) -> dict[str, Any]:
        task_id, index = event["task_id"], event.get("map_index", -1)
        verdict = verdict_of(task_id, self.workflow, event["ledger"], map_index=index)
        if verdict.decision != "run":
            entry = verdict.entry()
        elif event.get("container"):
            entry = {"container": {"event": pack(event)}}
        else:
            entry = {"length": 2} if "expand" in event else {"state": "success", "tries": 1}
        return entry if index < 0 else {**entry, "map_index": index}

    def run_task(self, call: TaskCall) -> Any:
        [override] = call.arguments["Overrides"]["ContainerOverrides"]
        variables = {pair["Name"]: pair["Value"] for pair in override["Environment"]}
        event, attempt = unpack(variables[EVENT]), int(variables[ATTEMPT])
        self.started.append((event["task_id"], event.get("map_index", -1), attempt))
        answer = self.answers.get(event["task_id"], "success")
        if callable(answer):
            answer = answer(attempt)
        if isinstance(answer, StatesError) and answer.error.startswith("AmazonECS"):
            raise answer
        if answer != "silence":
            self.answer(call, variables[TOKEN], event, attempt, answer)
        return {"Tasks": [{}], "Failures": []}

    def answer(self, call: TaskCall, token: str, event: dict[str, Any], attempt: int, answer: Any) -> None:
        assert call.answering is not None
        if isinstance(answer, StatesError):
            action, values = "sendTaskFailure", {"Error": answer.error, "Cause": answer.cause}
        else:
            entry = {"state": answer, "tries": attempt + 1}
            if event.get("map_index", -1) >= 0:
                entry["map_index"] = event.get("map_index", -1)
            action, values = "sendTaskSuccess", {"Output": json.dumps(entry)}
        asyncio.get_running_loop().call_later(
            1, call.answering, ANSWERS + action, {"TaskToken": token, **values}
        )


def run(workflow: Workflow, **answers: Any) -> tuple[Execution, Cloud, dict[str, Any], float]:
    """Return how the execution ended, what was called, the last ledger, and how long it took."""
    cloud, clock, ledger = Cloud(workflow, **answers), VirtualClock(), {}

    def hear(event: Any) -> None:
        output = event.details.get("output")
        if event.type.endswith("StateExited") and isinstance(output, dict):
            ledger.update(output)

    text = json.dumps(lower(workflow).definition).replace("${ContainerSubnets}", "subnet-0,subnet-1")
    definition = json.loads(text.replace("${ContainerSecurityGroups}", ""))
    tasks = ServiceTasks(cloud, containers=cloud)
    ended = clock.run(execute(definition, {}, tasks=tasks, clock=clock, on_event=hear))
    return ended, cloud, ledger, clock.elapsed


def test_a_container_answers_with_the_entry_of_its_task() -> None:
    ended, cloud, ledger, _ = run(a_workflow(a_task("a"), contained("b", "a"), a_task("c", "b")))
    assert ended.status == "SUCCEEDED"
    assert cloud.started == [("b", -1, 0)]
    assert ledger["b"] == {"state": "success", "tries": 1}
    assert cloud.calls[-1]["ledger"]["b"] == {"state": "success", "tries": 1}


def test_what_ecs_is_told() -> None:
    definition = lower(a_workflow(contained("a", execution_timeout=3600.0))).definition
    state = definition["States"]["a"]
    assert (state["Resource"], state["HeartbeatSeconds"], state["TimeoutSeconds"]) == (
        RUN_AND_WAIT,
        HEARTBEAT,
        3600 + 900,
    )
    assert state["Arguments"]["Overrides"]["Cpu"] == "1024"
    assert state["Arguments"]["Overrides"]["Memory"] == "4096"
    assert check(definition, placeholders=(FUNCTION, DEFINITION, *PLACE), expressions=True) == ()


def test_subnets_and_security_groups_become_lists() -> None:
    seen: list[Any] = []

    class Watching(Cloud):
        def run_task(self, call: TaskCall) -> Any:
            seen.append(call.arguments["NetworkConfiguration"]["AwsvpcConfiguration"])
            return super().run_task(call)

    workflow, clock = a_workflow(contained("a")), VirtualClock()
    for groups, expected in (("", []), ("sg-1", ["sg-1"]), ("sg-1,sg-2", ["sg-1", "sg-2"])):
        text = json.dumps(lower(workflow).definition).replace("${ContainerSubnets}", "subnet-0")
        definition = json.loads(text.replace("${ContainerSecurityGroups}", groups))
        clock.run(execute(definition, {}, tasks=Watching(workflow), clock=clock))
        assert seen[-1]["Subnets"] == ["subnet-0"]
        assert seen[-1]["SecurityGroups"] == expected


def test_no_container_is_started_for_a_task_that_does_not_run() -> None:
    failing = contained("a", retry=Retry(attempts=0))
    ended, cloud, ledger, _ = run(
        a_workflow(failing, contained("b", "a"), contained("c", "b", trigger_rule="all_done")),
        a=StatesError("ValueError", "{}"),
    )
    assert [name for name, _, _ in cloud.started] == ["a", "c"]
    assert {name: entry["state"] for name, entry in ledger.items()} == {
        "a": "failed",
        "b": "upstream_failed",
        "c": "success",
    }
    assert ended.status == "SUCCEEDED"


def test_a_failure_is_retried_with_its_attempt_and_one_that_must_not_be_is_not() -> None:
    retried = contained("a", retry=Retry(attempts=2, delay=60.0))
    error = StatesError("ValueError", '{"errorMessage": "not yet"}')
    ended, cloud, ledger, seconds = run(
        a_workflow(retried), a=lambda attempt: error if attempt < 2 else "success"
    )
    assert (ended.status, ledger["a"]["tries"]) == ("SUCCEEDED", 3)
    assert [attempt for _, _, attempt in cloud.started] == [0, 1, 2]
    assert 120 <= seconds < 130
    ended, cloud, ledger, _ = run(a_workflow(retried), a=StatesError("AirflowFailException", "{}"))
    assert (ended.status, ledger["a"]["tries"], len(cloud.started)) == ("FAILED", 1, 1)


def test_a_container_that_says_nothing_has_failed_and_others_go_on() -> None:
    workflow = a_workflow(contained("a"), contained("b"), a_task("c", "b"))
    ended, _cloud, ledger, seconds = run(workflow, a="silence")
    assert ended.status == "FAILED"
    assert {name: entry["state"] for name, entry in ledger.items()} == {
        "a": "failed",
        "b": "success",
        "c": "success",
    }
    assert HEARTBEAT <= seconds < HEARTBEAT + 5


def test_capacity_that_is_not_there_at_first_costs_the_task_no_retry() -> None:
    busy = StatesError("AmazonECS.Unknown", "RESOURCE:CPU")
    ended, cloud, _, _ = run(a_workflow(contained("a")), a=lambda attempt: busy if attempt < 2 else "success")
    assert (ended.status, len(cloud.started)) == ("SUCCEEDED", 3)


def test_the_function_calls_back_for_a_container_that_was_killed() -> None:
    called_back = contained("a", attributes=(Attribute(name="on_failure_callback", value="alert"),))
    _, cloud, ledger, _ = run(a_workflow(called_back), a=StatesError("ECS.TaskStopped", "{}"))
    assert [event.get("callback") for event in cloud.calls] == [None, "on_failure"]
    assert ledger["a"]["xcom"] == {"called": True}


def test_every_instance_of_a_mapped_task_has_a_container() -> None:
    each = contained("each", "a", mapped=True, expansion=Expansion(over=("a",)))
    ended, cloud, ledger, _ = run(a_workflow(a_task("a"), each, a_task("z", "each")))
    assert ended.status == "SUCCEEDED"
    assert sorted(cloud.started) == [("each", 0, 0), ("each", 1, 0)]
    assert [one["map_index"] for one in ledger["each"]["instances"]] == [0, 1]


def test_tasks_of_a_mapped_group_have_containers() -> None:
    members = [
        contained("g.x", "a", mapped=True, mapped_group="g"),
        contained("g.y", "g.x", mapped=True, mapped_group="g"),
    ]
    workflow = a_workflow(
        a_task("a"), *members, mapped_groups=(MappedGroup(group_id="g", expansion=Expansion(length=2)),)
    )
    ended, cloud, ledger, _ = run(workflow, **{"g.x": "skipped"})
    assert ended.status == "SUCCEEDED"
    assert sorted(cloud.started) == [("g.x", 0, 0), ("g.x", 1, 0)]
    assert [one["state"] for one in ledger["g.y"]["instances"]] == ["skipped", "skipped"]


def test_branches_and_joins_hold_tasks_in_containers() -> None:
    workflow = a_workflow(contained("a"), contained("b"), contained("c", "a"), contained("d", "a", "b"))
    ended, cloud, ledger, seconds = run(workflow)
    assert ended.status == "SUCCEEDED"
    assert [ledger[name]["state"] for name in "abcd"] == ["success"] * 4
    assert len(cloud.started) == 4
    assert seconds < 3
