"""Machines of mapped tasks, executed on both interpreters with a function that plays what it is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from moto_engine import run_with_moto
from simulate import timeless
from workflows import a_task, a_workflow

from orkestra_bridge.asl.check import check
from orkestra_bridge.diagnostics import refuses
from orkestra_bridge.ir.model import Attribute, Expansion, Retry
from orkestra_bridge.local.interpreter import StatesError, TaskCall, VirtualClock, execute
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.lowering.task import FUNCTION
from orkestra_bridge.passes.accounting import account

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Task, Workflow
    from orkestra_bridge.local.interpreter import Event, Execution

OVER_A = Expansion(over=("a",))


def mapped(task_id: str, *upstream: str, expansion: Expansion = OVER_A, **fields: Any) -> Task:
    return a_task(task_id, *upstream, mapped=True, expansion=expansion, **fields)


class Function:
    """Answers invocations: ``lengths`` of mapped tasks or their whole entries, and the instances that fail."""

    def __init__(self, lengths: dict[str, Any] | None = None, failing: tuple[str, ...] = ()) -> None:
        self.lengths = lengths or {}
        self.failing = failing
        self.payloads: list[dict[str, Any]] = []
        self.running = self.most = 0

    def __call__(self, payload: Any) -> dict[str, Any]:
        self.payloads.append(payload)
        task_id, index = payload["task_id"], payload.get("map_index", -1)
        if f"{task_id}[{index}]" in self.failing or (task_id in self.failing and index < 0):
            raise StatesError("ValueError", '{"errorMessage": "meant to fail"}')
        if "expand" in payload:
            answer: dict[str, Any] = self.lengths[task_id]
            return answer
        place = {} if index < 0 else {"map_index": index}
        return {"state": "success", "tries": payload["context"]["State"]["RetryCount"] + 1, **place}

    async def slowly(self, call: TaskCall) -> Any:
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(10)
        self.running -= 1
        return {"Payload": self(call.arguments["Payload"])}


def run(workflow: Workflow, function: Function) -> Execution:
    """Return how our interpreter ends, after moto's has ended the same."""
    definition = lower(workflow).definition
    assert check(definition, placeholders=(FUNCTION,), expressions=True) == ()
    clock = VirtualClock()
    ours = clock.run(execute(definition, {}, tasks=function.slowly, clock=clock))
    theirs = run_with_moto(definition, {}, Function(function.lengths, function.failing))
    assert (ours.status, timeless(ours.output)) == (theirs.status, timeless(theirs.output))
    return ours


def succeeded(*indexes: int) -> list[dict[str, Any]]:
    return [{"state": "success", "tries": 1, "map_index": index} for index in indexes]


@pytest.mark.parametrize("length", [1, 2, 45])
def test_instances_are_gathered_in_the_order_of_their_indexes(length: int) -> None:
    function = Function({"m": {"length": length}})
    ended = run(a_workflow(a_task("a"), mapped("m", "a"), a_task("z", "m")), function)
    assert ended.output["m"] == {"execution": "local", "instances": succeeded(*range(length))}
    assert function.most == min(length, 40)
    assert [payload["ledger"]["m"] for payload in function.payloads if "map_index" in payload] == [
        {"length": length}
    ] * length
    last = function.payloads[-1]
    assert (last["task_id"], last["ledger"]["m"]["instances"]) == ("z", succeeded(*range(length)))


@pytest.mark.parametrize("entry", [{"state": "skipped", "tries": 0}, {"instances": succeeded(0, 1)}])
def test_what_has_ended_already_is_left_as_it_is(entry: dict[str, Any]) -> None:
    function = Function({"m": entry})
    assert run(a_workflow(a_task("a"), mapped("m", "a")), function).output["m"] == entry
    assert [payload["task_id"] for payload in function.payloads] == ["a", "m"]


def test_a_known_length_needs_nobody_to_ask() -> None:
    function = Function()
    workflow = a_workflow(mapped("m", expansion=Expansion(length=3)))
    assert run(workflow, function).output["m"]["instances"] == succeeded(0, 1, 2)
    assert sorted(payload["map_index"] for payload in function.payloads) == [0, 1, 2]
    assert lower(workflow).findings[1:] == ()


def test_a_length_of_nothing_is_left_to_the_function() -> None:
    function = Function({"m": {"state": "skipped", "tries": 0}})
    run(a_workflow(mapped("m", expansion=Expansion(length=0))), function)
    assert function.payloads[0]["expand"]["limit"] == 1024


def test_an_instance_fails_alone() -> None:
    workflow = a_workflow(
        a_task("a"),
        mapped("m", "a"),
        a_task("strict", "m", operator="EmptyOperator"),
        a_task("lax", "m", operator="EmptyOperator", trigger_rule="one_success"),
        a_task("end", "lax", "strict", operator="EmptyOperator", trigger_rule="all_done"),
    )
    output = run(workflow, Function({"m": {"length": 3}}, failing=("m[1]",))).output
    assert [one["state"] for one in output["m"]["instances"]] == ["success", "failed", "success"]
    failed = output["m"]["instances"][1]
    assert (failed["map_index"], failed["tries"], failed["error"]["type"]) == (1, 1, "ValueError")
    assert (output["strict"]["state"], output["lax"]["state"]) == ("upstream_failed", "success")


def test_a_failed_instance_of_a_leaf_fails_the_run() -> None:
    workflow = a_workflow(a_task("a"), mapped("m", "a"))
    assert run(workflow, Function({"m": {"length": 2}}, failing=("m[1]",))).status == "FAILED"
    assert run(workflow, Function({"m": {"length": 2}})).status == "SUCCEEDED"


def test_a_function_that_cannot_tell_the_length_fails_the_task() -> None:
    workflow = a_workflow(
        a_task("a"), mapped("m", "a"), a_task("z", "m", operator="EmptyOperator", trigger_rule="one_failed")
    )
    output = run(workflow, Function({"m": {}}, failing=("m",))).output
    assert (output["m"]["state"], output["m"]["error"]["type"]) == ("failed", "ValueError")
    assert output["z"]["state"] == "success"


def test_each_instance_is_retried_by_itself() -> None:
    workflow = a_workflow(
        mapped("m", expansion=Expansion(length=2), retry=Retry(attempts=2, delay=5.0)),
        a_task("z", "m", operator="EmptyOperator", trigger_rule="all_done"),
    )
    function = Function(failing=("m[0]",))
    output = run(workflow, function).output
    assert [(one["state"], one["tries"]) for one in output["m"]["instances"]] == [
        ("failed", 3),
        ("success", 1),
    ]
    assert len(function.payloads) == 4


def test_a_failure_callback_knows_the_instance() -> None:
    workflow = a_workflow(
        mapped(
            "m",
            expansion=Expansion(length=2),
            attributes=(Attribute(name="on_failure_callback", value="tell"),),
        )
    )
    function = Function(failing=("m[1]",))

    def answer(payload: dict[str, Any]) -> dict[str, Any]:
        if "callback" in payload:
            function.payloads.append(payload)
            entry: dict[str, Any] = payload["ledger"]["m"]
            return entry
        return function(payload)

    assert run_with_moto(lower(workflow).definition, {}, answer).status == "FAILED"
    (told,) = [payload for payload in function.payloads if "callback" in payload]
    assert (told["map_index"], told["ledger"]["m"]["state"]) == (1, "failed")


class Killed(Function):
    """A function that is always killed, with much to say about it."""

    def __call__(self, payload: Any) -> dict[str, Any]:
        if "map_index" in payload and "callback" not in payload:
            raise StatesError("Runtime.ExitError", "x" * 30_000)
        return super().__call__(payload)


@pytest.mark.parametrize(
    ("answer", "fields", "kept"),
    [
        ({"length": 3, "share": 1_000}, {}, 919),
        ({"length": 3, "share": 60}, {}, 40),
        (
            {"length": 3, "share": 60},
            {"attributes": (Attribute(name="on_failure_callback", value="f"),)},
            100,
        ),
        ({"length": 3, "share": 1_000_000}, {}, 16_000),
    ],
)
def test_what_is_said_of_killed_functions_is_cut_by_their_share(
    answer: dict[str, int], fields: dict[str, Any], kept: int
) -> None:
    definition = lower(a_workflow(a_task("a"), mapped("m", "a", **fields))).definition
    seen: list[dict[str, Any]] = []

    def on_event(event: Event) -> None:
        output = event.details.get("output")
        if event.type == "MapStateExited" and isinstance(output, dict):
            seen.append(output["m"])

    clock = VirtualClock()
    function = Killed({"m": answer}, failing=("m[0]", "m[1]", "m[2]"))
    clock.run(execute(definition, {}, tasks=function.slowly, clock=clock, on_event=on_event))
    assert [len(one["error"]["message"]) for one in seen[0]["instances"]] == [kept] * 3


def test_in_a_branch_only_what_was_added_is_returned() -> None:
    workflow = a_workflow(a_task("a"), mapped("m", "a"), a_task("b", "a"), a_task("z", "m", "b"))
    definition = lower(workflow).definition
    (parallel,) = [state for state in definition["States"].values() if state["Type"] == "Parallel"]
    output = parallel["Branches"][0]["States"]["m: map"]["Output"]
    assert output.startswith("{% {'m': (")
    assert run(workflow, Function({"m": {"length": 2}})).output["m"]["instances"] == succeeded(0, 1)


@pytest.mark.parametrize(("limit", "most"), [(None, 40), (3, 3), (100, 40)])
def test_max_active_tis_limits_the_instances_at_once(limit: int | None, most: int) -> None:
    attributes = (Attribute(name="max_active_tis_per_dagrun", value=limit),)
    workflow = a_workflow(a_task("a"), mapped("m", "a", max_active=limit, attributes=attributes))
    function = Function({"m": {"length": 50}})
    run(workflow, function)
    assert function.most == most
    assert [finding for finding in account(workflow) if finding.id == "OB207"] == []


def ids(workflow: Workflow) -> list[str]:
    return [finding.id for finding in lower(workflow).findings if finding.attribute == "expand"]


def test_findings_about_lengths() -> None:
    assert ids(a_workflow(mapped("m", expansion=Expansion(length=40)))) == []
    assert ids(a_workflow(mapped("m", expansion=Expansion(length=41)))) == ["OB342"]
    assert ids(a_workflow(mapped("m", expansion=Expansion(length=41), max_active=9))) == []
    assert ids(a_workflow(mapped("m", expansion=Expansion(length=900)))) == ["OB342"]
    assert ids(a_workflow(mapped("m", expansion=Expansion(length=950)))) == ["OB344"]
    assert ids(a_workflow(mapped("m", expansion=Expansion(length=2391), retry=Retry(attempts=1)))) == [
        "OB344"
    ]
    assert ids(a_workflow(mapped("m", expansion=Expansion(length=2766)))) == ["OB341"]
    assert ids(a_workflow(a_task("a"), mapped("m", "a"))) == ["OB340"]


def modes(workflow: Workflow) -> dict[str, str]:
    states = lower(workflow).definition["States"].items()
    return {
        name.removesuffix(": map"): state["ItemProcessor"]["ProcessorConfig"]["Mode"]
        for name, state in states
        if state["Type"] == "Map"
    }


def limit_of(workflow: Workflow, task_id: str) -> int:
    state = lower(workflow).definition["States"][f"{task_id}: expand"]
    limit: int = state["Arguments"]["Payload"]["expand"]["limit"]
    return limit


def test_the_history_is_shared_by_all_mapped_tasks() -> None:
    assert limit_of(a_workflow(a_task("a"), mapped("m", "a")), "m") == 1024
    assert modes(a_workflow(a_task("a"), mapped("m", "a", retry=Retry(attempts=5)))) == {"m": "INLINE"}
    assert modes(a_workflow(a_task("a"), mapped("m", "a", retry=Retry(attempts=9)))) == {"m": "DISTRIBUTED"}
    two = a_workflow(a_task("a"), mapped("m", "a", retry=Retry(attempts=9)), mapped("n", "m"))
    assert modes(two) == {"m": "DISTRIBUTED", "n": "INLINE"}
    assert (limit_of(two, "m"), limit_of(two, "n")) == (1024, 1024)
    known = a_workflow(
        a_task("a"),
        mapped("k", "a", expansion=Expansion(length=900)),
        mapped("m", "k", retry=Retry(attempts=3)),
    )
    assert modes(known) == {"k": "INLINE", "m": "DISTRIBUTED"}


@pytest.mark.parametrize(("length", "mode"), [(900, "INLINE"), (950, "DISTRIBUTED")])
def test_a_known_length_is_mapped_so_that_the_machine_can_be_deployed(length: int, mode: str) -> None:
    lowered = lower(a_workflow(a_task("a"), mapped("k", "a", expansion=Expansion(length=length))))
    assert lowered.definition["States"]["k: map"]["ItemProcessor"]["ProcessorConfig"]["Mode"] == mode
    assert not refuses(lowered.findings)


def test_a_product_has_room_for_more_than_a_single_argument() -> None:
    product = Expansion(over=("a",), most=1024 * 1024)
    workflow = a_workflow(a_task("a"), mapped("m", "a", expansion=product))
    assert (modes(workflow), limit_of(workflow, "m")) == ({"m": "DISTRIBUTED"}, 2391)
    small = a_workflow(a_task("a"), mapped("m", "a", expansion=Expansion(over=("a",), most=1536)))
    assert (modes(small), limit_of(small, "m")) == ({"m": "INLINE"}, 1536)
