"""Maps whose instances are executions of their own, on both interpreters with a function that plays what it is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from moto_engine import run_with_moto
from simulate import timeless
from workflows import a_task, a_workflow

from orkestra_bridge.asl.check import check
from orkestra_bridge.ir.model import Attribute, Expansion, MappedGroup, Retry
from orkestra_bridge.local.interpreter import StatesError, TaskCall, VirtualClock, execute
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.lowering.task import FUNCTION
from orkestra_bridge.runtime.event import unpacked
from orkestra_bridge.runtime.failure import completed
from orkestra_bridge.runtime.mapping import RESULT_BYTES

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Task, Workflow
    from orkestra_bridge.local.interpreter import Execution

ENDED = 1_764_158_400_000
DOCUMENT = {"run_id": "manual", "conf": {"k": 1}}


class Function:
    """Answers invocations; the instances named in ``failing`` fail as often as it says, those in ``large`` push much."""

    def __init__(self, lengths: dict[str, Any] | None = None, failing: dict[str, int] | None = None) -> None:
        self.lengths = lengths or {}
        self.failing = dict(failing or {})
        self.events: list[dict[str, Any]] = []

    def __call__(self, payload: Any) -> Any:
        event = unpacked(payload)
        self.events.append(event)
        task_id, index = event["task_id"], event.get("map_index", -1)
        if "expand" in event:
            return self.lengths[task_id]
        name = f"{task_id}[{index}]"
        if self.failing.get(name, 0) > 0:
            self.failing[name] -= 1
            raise StatesError("ValueError", json.dumps({"errorMessage": "meant to fail" * 100}))
        place = {} if index < 0 else {"map_index": index}
        return {
            "state": "success",
            "tries": event["attempt"] + 1,
            "at": ENDED,
            "xcom": {"return_value": index},
            **place,
        }

    async def ours(self, call: TaskCall) -> Any:
        return {"Payload": self(call.arguments["Payload"])}


def run(workflow: Workflow, function: Function, *, both: bool = True, **options: Any) -> Execution:
    """Return how our interpreter ends, after moto's has ended the same if ``both`` are asked."""
    definition = lower(workflow, **options).definition
    assert check(definition, placeholders=(FUNCTION,), expressions=True) == ()
    other = Function(function.lengths, function.failing)
    clock = VirtualClock()
    ours = clock.run(execute(definition, DOCUMENT, tasks=function.ours, clock=clock, name="manual"))
    if not both:
        return ours
    theirs = run_with_moto(definition, DOCUMENT, other, name="manual")
    assert (ours.status, timeless(ours.output)) == (theirs.status, timeless(theirs.output))
    return ours


def mapped(task_id: str, *upstream: str, expansion: Expansion, **fields: Any) -> Task:
    return a_task(task_id, *upstream, mapped=True, expansion=expansion, **fields)


def map_of(workflow: Workflow, **options: Any) -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = [
        state for state in lower(workflow, **options).definition["States"].values() if state["Type"] == "Map"
    ]
    return found


# moto takes 7 ms for an instance
@pytest.mark.parametrize(("length", "both"), [(300, True), (3000, False)])
def test_more_instances_than_one_execution_has_room_for(length: int, both: bool) -> None:
    product = Expansion(over=("a",), most=1024 * 1024)
    silent = {"operator": "BashOperator", "attributes": (Attribute(name="do_xcom_push", value=False),)}
    workflow = a_workflow(
        a_task("a"),
        mapped("m", "a", expansion=product, retry=Retry(attempts=1, delay=1.0), **silent),
        a_task("z", "m", operator="EmptyOperator"),
    )
    state = map_of(workflow)
    assert state["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert state["MaxConcurrency"] == 40
    function = Function({"m": {"length": length}})
    output = run(workflow, function, both=both).output
    assert output["z"]["state"] == "success"
    instances = completed(output["m"])["instances"]
    assert [one["xcom"]["return_value"] for one in instances] == list(range(length))
    assert instances[-1] == {
        "state": "success",
        "tries": 1,
        "at": ENDED,
        "map_index": length - 1,
        "xcom": {"return_value": length - 1},
    }
    assert len(json.dumps(output["m"], separators=(",", ":"))) < RESULT_BYTES


def test_a_known_length_that_does_not_fit() -> None:
    workflow = a_workflow(mapped("m", expansion=Expansion(length=100), retry=Retry(attempts=99)))
    assert map_of(workflow)["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
    assert len(run(workflow, Function()).output["m"]["instances"]) == 100


def test_the_function_sees_the_execution_of_the_run() -> None:
    workflow = a_workflow(a_task("a"), mapped("m", "a", expansion=Expansion(over=("a",))))
    function = Function({"m": {"length": 3}})
    run(workflow, function, maps="distributed")
    executions = [event["execution"] for event in function.events]
    assert len(executions) == 5
    assert all(execution == executions[0] for execution in executions)
    assert executions[0]["name"] == "manual"
    assert all(event["run"] == DOCUMENT for event in function.events)
    assert [sorted(event["ledger"]) for event in function.events[2:]] == [["a", "m"]] * 3


def test_instances_are_retried_and_fail_alone() -> None:
    workflow = a_workflow(
        mapped("m", expansion=Expansion(length=3), retry=Retry(attempts=2, delay=5.0)),
        a_task("z", "m", operator="EmptyOperator", trigger_rule="one_failed"),
        a_task("y", "m", operator="EmptyOperator"),
        a_task("end", "z", "y", operator="EmptyOperator", trigger_rule="all_done"),
    )
    function = Function(failing={"m[0]": 1, "m[2]": 99})
    output = run(workflow, function, maps="distributed").output
    assert all("at" in one for one in output["m"]["instances"])
    assert timeless(output["m"]["instances"]) == [
        {"state": "success", "tries": 2, "xcom": {"return_value": 0}},
        {"state": "success", "xcom": {"return_value": 1}},
        {"state": "failed", "tries": 3, "error": {"type": "ValueError"}},
    ]
    assert (output["z"]["state"], output["y"]["state"]) == ("success", "upstream_failed")


def test_what_was_not_expanded_stays_as_it_is() -> None:
    workflow = a_workflow(a_task("a"), mapped("m", "a", expansion=Expansion(over=("a",))))
    function = Function({"m": {"state": "skipped", "tries": 0}})
    assert run(workflow, function, maps="distributed").output["m"] == {"state": "skipped", "tries": 0}
    assert len(function.events) == 2


def test_a_group_returns_an_entry_for_each_of_its_tasks() -> None:
    workflow = a_workflow(
        a_task("a"),
        a_task("g.x", "a", mapped=True, mapped_group="g"),
        a_task("g.e", "g.x", mapped=True, mapped_group="g", operator="EmptyOperator"),
        a_task("g.y", "g.x", mapped=True, mapped_group="g"),
        a_task("z", "g.y", "g.e"),
        mapped_groups=(MappedGroup(group_id="g", expansion=Expansion(over=("a",))),),
    )
    function = Function({"g": {name: {"length": 2} for name in ("g.x", "g.e", "g.y")}}, {"g.x[1]": 9})
    output = run(workflow, function, maps="distributed").output
    states = {name: [one["state"] for one in output[name]["instances"]] for name in ("g.x", "g.e", "g.y")}
    assert states == {
        "g.x": ["success", "failed"],
        "g.e": ["success", "upstream_failed"],
        "g.y": ["success"] * 2,
    }
    inside = next(event for event in function.events if event["task_id"] == "g.y" and event["map_index"] == 0)
    assert inside["ledger"]["g.x"]["map_index"] == 0
    assert [event["ledger"]["g.x"]["execution"] for event in function.events[-1:]] == ["manual"]


def test_at_most_as_many_at_once_as_airflow_allows() -> None:
    workflow = a_workflow(mapped("m", expansion=Expansion(length=9), max_active=3))
    assert map_of(workflow, maps="distributed")["MaxConcurrency"] == 3


def test_the_report_says_why_and_how_many() -> None:
    product = Expansion(over=("a",), most=2_000_000)
    (finding,) = [
        finding
        for finding in lower(a_workflow(a_task("a"), mapped("m", "a", expansion=product))).findings
        if finding.attribute == "expand"
    ]
    assert finding.id == "OB344"
    assert "up to 2,391 instances of up to 9 events each" in finding.message
    (refused,) = [
        finding
        for finding in lower(a_workflow(mapped("m", expansion=Expansion(length=4000)))).findings
        if finding.attribute == "expand"
    ]
    assert refused.id == "OB341"
    assert (
        "4,000 instances are more than the result of a distributed Map has room for: 2,391" in refused.message
    )
    assert refused.remedy == "map over batches: lists of 2 items make 2,000 instances"


def test_the_history_of_an_instance_is_measured_by_itself() -> None:
    group = MappedGroup(group_id="g", expansion=Expansion(length=3))
    inside: dict[str, Any] = {"mapped": True, "mapped_group": "g", "retry": Retry(attempts=5000, delay=1.0)}
    tasks = (a_task("g.a", **inside), a_task("g.b", "g.a", **inside))
    (finding,) = [
        one for one in lower(a_workflow(*tasks, mapped_groups=(group,))).findings if one.id == "OB351"
    ]
    assert finding.message.startswith("each instance in g: map is an execution that may write 30,")
    one = a_workflow(tasks[0], mapped_groups=(group,))
    assert "OB351" not in {each.id for each in lower(one).findings}
