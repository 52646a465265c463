"""A task that runs the user's image: the emitted machine against an ECS that runs what it is told and ends as told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from workflows import DOCKER, a_task, a_workflow

from orkestra_bridge.asl.check import check
from orkestra_bridge.ir.model import Attribute, Expansion, Retry, Task, Workflow
from orkestra_bridge.ir.places import Image
from orkestra_bridge.ir.serialize import to_document
from orkestra_bridge.local.interpreter import Execution, StatesError, TaskCall, VirtualClock, execute
from orkestra_bridge.local.services.runner import ServiceTasks
from orkestra_bridge.lowering.container import PLACE
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.lowering.own_image import RUN_AND_WAIT
from orkestra_bridge.lowering.task import FUNCTION
from orkestra_bridge.passes.placement import place
from orkestra_bridge.runtime.event import unpacked
from orkestra_bridge.runtime.verdict import verdict_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IMAGE = Image(kind="docker", executed_by=DOCKER, reference="team/etl:1")
ARN = "arn:aws:ecs:us-east-1:123456789012:task/c/0123"


def runs(task_id: str, *upstream: str, **fields: Any) -> Task:
    return a_task(task_id, *upstream, operator="DockerOperator", image=fields.pop("image", IMAGE), **fields)


class Cloud:
    """Lambda and ECS in one: containers end with the exit code that `codes` says for a task and a try."""

    def __init__(self, workflow: Workflow, codes: Callable[[str, int], int | StatesError]) -> None:
        self.workflow = workflow
        self.document = to_document(workflow)
        self.codes = codes
        self.started: list[str] = []
        self.asked: list[Any] = []

    async def __call__(self, call: TaskCall) -> Any:
        if call.resource == RUN_AND_WAIT:
            return self.run_task(call)
        event = unpacked(call.arguments["Payload"])
        self.asked.append(event)
        if event.get("callback"):
            return {"Payload": {**event["ledger"][event["task_id"]], "xcom": {"called": True}}}
        entry = self.entry(event)
        index = event.get("map_index", -1)
        return {"Payload": entry if index < 0 else {**entry, "map_index": index}}

    def entry(self, event: dict[str, Any]) -> dict[str, Any]:
        task = self.workflow.task(event["task_id"])
        own = event["ledger"].get(task.task_id) or {}
        if "stopped" in own.get("container", {}):
            return self.outcome(task, own["container"])
        if "container" not in own:
            verdict = verdict_of(task.task_id, self.document, event["ledger"])
            if verdict.decision != "run":
                return verdict.entry()
        if "expand" in event:
            return {"length": 2}
        if task.image is None:
            return {"state": "success", "tries": 1}
        attempt = own.get("container", {}).get("attempt", 0)
        override = {"Name": "task", "Command": [task.task_id, str(attempt)], "Environment": []}
        return {"container": {"attempt": attempt, "overrides": [override]}}

    def outcome(self, task: Task, container: dict[str, Any]) -> dict[str, Any]:
        attempt, stopped = container["attempt"], container["stopped"]
        if "containers" in stopped:
            assert stopped["containers"] == [{"name": "task", "exit": 0}]
            return {"state": "success", "tries": attempt + 1}
        if '"ExitCode":99' in stopped["cause"]:
            return {"state": "skipped", "tries": attempt + 1}
        if attempt < task.retry.attempts:
            return {"container": {"attempt": attempt + 1, "wait": 60}}
        raise StatesError("AirflowException", json.dumps({"errorMessage": stopped["error"]}))

    def run_task(self, call: TaskCall) -> Any:
        [override] = call.arguments["Overrides"]["ContainerOverrides"]
        assert override["Name"] == "task"
        self.started.append(" ".join(override["Command"]))
        name, attempt = override["Command"]
        code = self.codes(name, int(attempt))
        if isinstance(code, StatesError):
            raise code
        containers = [{"Name": "task", "ExitCode": code, "LastStatus": "STOPPED"}]
        if code:
            cause = json.dumps({"TaskArn": ARN, "Containers": containers}, separators=(",", ":"))
            raise StatesError("States.TaskFailed", cause)
        return {"TaskArn": ARN, "Containers": containers}


def succeed(_task_id: str, _attempt: int) -> int:
    return 0


def run(
    *tasks: Task, codes: Callable[[str, int], int | StatesError] = succeed
) -> tuple[Execution, Cloud, dict[str, Any], float]:
    """Return how the execution ended, what was called, the last ledger, and how long it took."""
    workflow = place(a_workflow(*tasks))
    cloud, clock, ledger = Cloud(workflow, codes), VirtualClock(), {}

    def hear(event: Any) -> None:
        output = event.details.get("output")
        if event.type.endswith("StateExited") and isinstance(output, dict):
            ledger.update(output)

    lowered = lower(workflow)
    assert lowered.findings == () or all(each.severity.value != "error" for each in lowered.findings)
    text = json.dumps(lowered.definition).replace("${ContainerSubnets}", "subnet-0")
    definition = json.loads(text.replace("${ContainerSecurityGroups}", ""))
    tasks_ = ServiceTasks(cloud, images=cloud)
    ended = clock.run(execute(definition, {}, tasks=tasks_, clock=clock, on_event=hear))
    return ended, cloud, ledger, clock.elapsed


def test_an_image_runs_with_what_the_function_has_rendered() -> None:
    ended, cloud, ledger, _ = run(a_task("a"), runs("b", "a"), a_task("c", "b"))
    assert ended.status == "SUCCEEDED"
    assert cloud.started == ["b 0"]
    assert ledger["b"] == {"state": "success", "tries": 1}
    assert "container" not in cloud.asked[-1]["ledger"]["b"]


def test_no_image_is_started_for_a_task_that_does_not_run() -> None:
    ended, cloud, ledger, _ = run(
        runs("a"),
        runs("b", "a"),
        runs("c", "b", trigger_rule="all_done"),
        codes=lambda name, _: int(name == "a"),
    )
    assert cloud.started == ["a 0", "c 0"]
    assert {name: entry["state"] for name, entry in ledger.items()} == {
        "a": "failed",
        "b": "upstream_failed",
        "c": "success",
    }
    assert ended.status == "SUCCEEDED"


def test_an_exit_code_that_skips_is_not_tried_again() -> None:
    ended, cloud, ledger, _ = run(
        runs("a", retry=Retry(attempts=3, delay=60.0)), a_task("b", "a"), codes=lambda *_: 99
    )
    assert (cloud.started, ledger["a"]["state"], ledger["b"]["state"]) == (["a 0"], "skipped", "skipped")
    assert ended.status == "SUCCEEDED"


def test_each_try_is_rendered_anew_after_its_delay() -> None:
    ended, cloud, ledger, seconds = run(
        runs("a", retry=Retry(attempts=2, delay=60.0)), codes=lambda _, attempt: int(attempt < 2)
    )
    assert cloud.started == ["a 0", "a 1", "a 2"]
    assert (ended.status, ledger["a"]["tries"]) == ("SUCCEEDED", 3)
    assert 120 <= seconds < 125


def test_after_the_last_try_it_has_failed_with_the_number_of_tries() -> None:
    ended, cloud, ledger, _ = run(
        runs("a", retry=Retry(attempts=1, delay=60.0)), codes=lambda *_: StatesError("States.Timeout", "")
    )
    assert (ended.status, ledger["a"]["state"], ledger["a"]["tries"]) == ("FAILED", "failed", 2)
    assert "States.Timeout" in ledger["a"]["error"]["message"]
    assert len(cloud.started) == 2


def test_capacity_that_is_not_there_at_first_costs_the_task_no_try() -> None:
    answers: Iterator[int | StatesError] = iter([StatesError("ECS.ServerException", "busy"), 0])
    ended, cloud, ledger, _ = run(runs("a"), codes=lambda *_: next(answers))
    assert (ended.status, cloud.started, ledger["a"]["tries"]) == ("SUCCEEDED", ["a 0", "a 0"], 1)


def test_the_function_calls_back_for_a_try_that_it_could_not_judge() -> None:
    called_back = runs("a", attributes=(Attribute(name="on_failure_callback", value="alert"),))
    _, cloud, ledger, _ = run(called_back, a_task("b", "a", trigger_rule="all_done"), codes=lambda *_: 1)
    assert cloud.asked[-2]["callback"] == "on_failure"
    assert ledger["a"]["xcom"] == {"called": True}


def test_every_instance_of_a_mapped_task_has_a_container() -> None:
    each = runs(
        "each", "a", mapped=True, expansion=Expansion(over=("a",)), retry=Retry(attempts=1, delay=1.0)
    )
    ended, cloud, ledger, _ = run(
        a_task("a"), each, a_task("z", "each"), codes=lambda _, attempt: int(attempt < 1)
    )
    assert ended.status == "SUCCEEDED"
    assert sorted(cloud.started) == ["each 0", "each 0", "each 1", "each 1"]
    assert [(one["map_index"], one["tries"]) for one in ledger["each"]["instances"]] == [(0, 2), (1, 2)]


def test_what_ecs_is_told() -> None:
    workflow = place(
        a_workflow(
            runs("a", execution_timeout=3600.0),
            runs("b", attributes=(Attribute(name="active_deadline_seconds", value=60, of_class=True),)),
            runs("c", image=Image(kind="docker", executed_by=DOCKER, reference="{{ params.image }}")),
            runs("d", image=Image(kind="docker", executed_by=DOCKER, reference="other", cpu=(2,))),
        )
    )
    definition = lower(workflow).definition
    names = {f"${{Image{number}{kind}}}" for number in (1, 2, 3) for kind in ("", "Uri")}
    assert check(definition, placeholders=(FUNCTION, *PLACE, *names), expressions=True) == ()
    states = {
        name: state
        for branch in definition["States"]["Parallel: a, b, c and 1 more"]["Branches"]
        for name, state in branch["States"].items()
    }
    assert [states[name]["Arguments"]["TaskDefinition"] for name in "abcd"] == [
        "${Image1}",
        "${Image1}",
        "${Image2}",
        "${Image3}",
    ]
    assert states["d"]["Arguments"]["Overrides"]["Cpu"] == "2048"
    assert (states["a"]["TimeoutSeconds"], states["b"]["TimeoutSeconds"]) == (3780, 240)
    assert "TimeoutSeconds" not in states["c"]
    payloads = [states[f"{name}: prepare"]["Arguments"]["Payload"].get("image") for name in "abc"]
    assert payloads == [None, None, "${Image2Uri}"]


def test_tries_count_as_events() -> None:
    once, thrice = (
        lower(place(a_workflow(runs("a", retry=Retry(attempts=attempts))))).weights[""].events
        for attempts in (0, 2)
    )
    assert thrice > 2 * once
