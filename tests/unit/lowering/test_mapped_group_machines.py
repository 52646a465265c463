"""Machines of mapped task groups, executed on both interpreters with a function that plays what it is told."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto_engine import run_with_moto
from simulate import timeless
from workflows import a_task, a_workflow

from orkestra_bridge.asl.check import check
from orkestra_bridge.ir.model import Expansion, MappedGroup, Retry
from orkestra_bridge.local.interpreter import StatesError, VirtualClock, execute
from orkestra_bridge.local.services.runner import ServiceTasks
from orkestra_bridge.lowering.groups import refused_groups
from orkestra_bridge.lowering.join import TABLE
from orkestra_bridge.lowering.machine import lower, nest
from orkestra_bridge.lowering.pprint import nesting_text
from orkestra_bridge.lowering.task import FUNCTION

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Task, Workflow
    from orkestra_bridge.local.interpreter import Execution, TaskCall

OVER_A = Expansion(over=("a",))


def member(task_id: str, *upstream: str, **fields: Any) -> Task:
    return a_task(task_id, *upstream, mapped=True, mapped_group="g", **fields)


def with_group(*tasks: Task, expansion: Expansion = OVER_A, parent: str | None = None) -> Workflow:
    return a_workflow(*tasks, mapped_groups=(MappedGroup(group_id="g", expansion=expansion, parent=parent),))


class Function:
    """Answers invocations; ``answer`` is what it says when it is asked to expand the group."""

    def __init__(self, answer: dict[str, Any] | None = None, failing: tuple[str, ...] = ()) -> None:
        self.answer = answer or {}
        self.failing = failing
        self.payloads: list[dict[str, Any]] = []

    def __call__(self, payload: Any) -> dict[str, Any]:
        self.payloads.append(payload)
        task_id, index = payload["task_id"], payload.get("map_index", -1)
        if f"{task_id}[{index}]" in self.failing or (task_id in self.failing and index < 0):
            raise StatesError("ValueError", '{"errorMessage": "meant to fail"}')
        if "expand" in payload:
            return self.answer
        if "state" in payload["ledger"].get(task_id, {}):
            entry: dict[str, Any] = payload["ledger"][task_id]
            return entry
        return {"state": "success", "tries": 1, **({} if index < 0 else {"map_index": index})}

    async def invoked(self, call: TaskCall) -> Any:
        return {"Payload": self(call.arguments["Payload"])}


def run(workflow: Workflow, function: Function, *, with_moto: bool = True) -> Execution:
    """Return how our interpreter ends, after moto's has ended the same."""
    definition = lower(workflow).definition
    assert check(definition, placeholders=(FUNCTION, TABLE), expressions=True) == ()
    clock = VirtualClock()
    ours = clock.run(execute(definition, {}, tasks=ServiceTasks(function.invoked), clock=clock))
    if with_moto:
        theirs = run_with_moto(definition, {}, Function(function.answer, function.failing))
        assert (ours.status, timeless(ours.output)) == (theirs.status, timeless(theirs.output))
    return ours


def entry(index: int, state: str = "success") -> dict[str, Any]:
    return {"state": state, "tries": 1 if state == "success" else 0, "map_index": index}


def test_an_instance_sees_those_with_its_own_index_and_a_later_task_sees_all() -> None:
    workflow = with_group(
        a_task("a"),
        member("g.x", "a"),
        member("g.y", "g.x"),
        member("g.z", "g.x", operator="EmptyOperator"),
        a_task("end", "g.y", "g.z"),
    )
    function = Function({name: {"length": 2} for name in ("g.x", "g.y", "g.z")})
    output = run(workflow, function).output
    both = {"execution": "local", "instances": [entry(0), entry(1)]}
    assert {name: timeless(output[name]) for name in ("g.x", "g.y", "g.z")} == dict.fromkeys(
        ("g.x", "g.y", "g.z"), both
    )
    seen = [payload["ledger"]["g.x"] for payload in function.payloads if payload["task_id"] == "g.y"]
    assert sorted(one["map_index"] for one in seen) == [0, 1]
    (last,) = [payload for payload in function.payloads if payload["task_id"] == "end"]
    assert last["ledger"]["g.y"] == both


def test_a_known_length_needs_nobody_to_ask() -> None:
    function = Function()
    output = run(
        with_group(member("g.x"), member("g.y", "g.x"), expansion=Expansion(length=3)), function
    ).output
    assert [one["map_index"] for one in output["g.y"]["instances"]] == [0, 1, 2]
    assert not any("expand" in payload for payload in function.payloads)


def test_a_failure_stays_in_its_instance() -> None:
    workflow = with_group(
        member("g.x"),
        member("g.y", "g.x", operator="EmptyOperator"),
        a_task("end", "g.y", operator="EmptyOperator", trigger_rule="one_success"),
        expansion=Expansion(length=3),
    )
    output = run(workflow, Function(failing=("g.x[1]",))).output
    states = {name: [one["state"] for one in output[name]["instances"]] for name in ("g.x", "g.y")}
    assert states == {
        "g.x": ["success", "failed", "success"],
        "g.y": ["success", "upstream_failed", "success"],
    }
    assert output["end"]["state"] == "success"


@pytest.mark.parametrize("operator", ["PythonOperator", "EmptyOperator"])
def test_a_task_that_was_not_expanded_has_one_entry(operator: str) -> None:
    workflow = with_group(
        a_task("a"), member("g.x", "a"), member("g.y", "g.x", operator=operator), a_task("end", "g.x")
    )
    whole = {"state": "upstream_failed", "tries": 0}
    function = Function({"g.x": {"length": 2}, "g.y": whole})
    definition = lower(workflow).definition
    assert run_with_moto(definition, {}, function).status == "FAILED"  # g.y is a leaf
    (last,) = [payload for payload in function.payloads if payload["task_id"] == "end"]
    assert last["ledger"]["g.y"] == whole
    assert last["ledger"]["g.x"]["instances"] == [entry(0), entry(1)]


def test_a_group_that_is_skipped_as_a_whole() -> None:
    workflow = with_group(a_task("a"), member("g.x", "a"), member("g.y", "g.x"))
    skipped = {"state": "skipped", "tries": 0}
    function = Function({"g.x": skipped, "g.y": skipped})
    assert run(workflow, function).output["g.y"] == skipped
    assert [payload["task_id"] for payload in function.payloads] == ["a", "g"]


def test_a_function_that_cannot_tell_the_length_fails_the_group() -> None:
    workflow = with_group(
        a_task("a"),
        member("g.x", "a"),
        member("g.y", "g.x"),
        a_task("end", "g.y", operator="EmptyOperator", trigger_rule="all_failed"),
    )
    output = run(workflow, Function(failing=("g",))).output
    assert [output[name]["state"] for name in ("g.x", "g.y", "end")] == ["failed", "failed", "success"]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Workflow, int]:
    """Return a random workflow whose middle part is a mapped group, and its length."""
    names = [f"t{i}" for i in range(draw(st.integers(3, 8)))]
    first, last = sorted(draw(st.lists(st.integers(0, len(names) - 1), min_size=2, max_size=2, unique=True)))
    renamed = [f"g.{name}" if first <= i <= last else name for i, name in enumerate(names)]
    pairs = list(itertools.combinations(renamed, 2))
    edges = draw(st.lists(st.sampled_from(pairs), unique=True))
    tasks = [
        (member if name.startswith("g.") else a_task)(name, *(u for u, v in edges if v == name))
        for name in renamed
    ]
    return with_group(*tasks, expansion=Expansion(length=2)), 2


@given(graphs())
@settings(max_examples=30)
def test_any_graph_around_and_inside_of_a_group(drawn: tuple[Workflow, int]) -> None:
    workflow, length = drawn
    if refused_groups(workflow):
        return
    function = Function()
    ended = run(workflow, function)
    assert ended.status == "SUCCEEDED"
    for task in workflow.tasks:
        instances = ended.output[task.task_id].get("instances", [ended.output[task.task_id]])
        assert len(instances) == (length if task.mapped_group else 1)
    for payload in function.payloads:
        missing = set(workflow.task(payload["task_id"]).upstream) - payload["ledger"].keys()
        assert not missing, payload["task_id"]


def test_a_group_with_parallel_tasks_beside_a_join() -> None:
    workflow = with_group(
        a_task("a"),
        a_task("b"),
        member("g.x", "a"),
        member("g.y", "g.x"),
        member("g.z", "g.x"),
        a_task("c", "a", "b"),
        a_task("d", "b"),
        expansion=Expansion(length=2),
    )
    assert "relaxed" in nesting_text(nest(workflow, "token")[1])
    ended = run(workflow, Function())
    assert ended.status == "SUCCEEDED"
    assert [one["map_index"] for one in ended.output["g.z"]["instances"]] == [0, 1]


def test_a_group_counts_as_one_task_in_the_nesting() -> None:
    workflow = with_group(a_task("a"), member("g.x", "a"), member("g.y", "g.x"), a_task("b", "g.y"))
    assert nesting_text(nest(workflow, "token")[1]) == "series\n  a\n  g\n  b\n"


@pytest.mark.parametrize(
    ("workflow", "words"),
    [
        (with_group(member("g.x"), a_task("b", "g.x"), member("g.y", "b")), "g -> b -> g"),
        (with_group(member("g.x"), parent="h"), "inside of another one, h"),
        (with_group(member("g.x", expansion=OVER_A)), "expanded once more"),
    ],
)
def test_groups_that_are_refused(workflow: Workflow, words: str) -> None:
    (finding,) = refused_groups(workflow)
    assert (finding.id, finding.severity.value, finding.task_id) == ("OB302", "error", "g.x")
    assert words in finding.message
    assert finding.remedy


def findings(workflow: Workflow) -> list[tuple[str, str | None]]:
    return [(one.id, one.task_id) for one in lower(workflow).findings if one.id not in ("OB327", "OB340")]


def test_what_is_said_about_groups() -> None:
    waiting = with_group(a_task("a"), a_task("b"), member("g.x", "a"), member("g.y", "b", "g.x"))
    assert ("OB321", "g.x") in findings(waiting)
    assert ("OB321", "g.y") not in findings(waiting)
    early = with_group(a_task("a"), member("g.x", "a"), member("g.y", "a", "g.x", trigger_rule="one_failed"))
    assert ("OB343", "g.y") in findings(early)


N_SHAPE = (member("g.a"), member("g.b"), member("g.c", "g.a"), member("g.d", "g.a", "g.b"))


class Slow(Function):
    """A function whose ``g.b`` takes 50 seconds of the virtual clock, all else one; ``ended`` has when."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self.clock = clock
        self.ended: dict[str, float] = {}

    async def invoked(self, call: TaskCall) -> Any:
        payload = call.arguments["Payload"]
        await asyncio.sleep(50 if payload["task_id"] == "g.b" else 1)
        self.ended[f"{payload['task_id']}[{payload['map_index']}]"] = self.clock.elapsed
        return {"Payload": self(payload)}


def test_branches_in_an_instance_of_a_group_meet_in_joins_of_its_own() -> None:
    workflow = with_group(*N_SHAPE, expansion=Expansion(length=3))
    lowered = lower(workflow)
    assert not [one for one in lowered.findings if one.id == "OB321"]
    assert check(lowered.definition, placeholders=(FUNCTION, TABLE), expressions=True) == ()
    clock = VirtualClock()
    function = Slow(clock)
    tasks = ServiceTasks(function.invoked)
    ended = clock.run(execute(lowered.definition, {}, tasks=tasks, clock=clock))
    assert ended.status == "SUCCEEDED"
    assert function.ended == {
        f"g.{name}[{index}]": moment
        for index in range(3)
        for name, moment in (("a", 1.0), ("b", 50.0), ("c", 2.0), ("d", 51.0))
    }
    seen = [payload["ledger"] for payload in function.payloads if payload["task_id"] == "g.d"]
    assert [{ledger["g.a"]["map_index"], ledger["g.b"]["map_index"]} for ledger in seen] == [{0}, {1}, {2}]
    assert [one["map_index"] for one in ended.output["g.d"]["instances"]] == [0, 1, 2]


@pytest.mark.parametrize("failing", [("g.a[0]", "g.b[1]"), ("g.a[2]", "g.b[2]"), ("g.c[1]",)])
def test_joins_in_a_group_pass_on_failures_of_their_own_instance(failing: tuple[str, ...]) -> None:
    tasks = (*N_SHAPE[:3], member("g.d", "g.a", "g.b", operator="EmptyOperator"))
    end = a_task("end", "g.c", "g.d", operator="EmptyOperator", trigger_rule="all_done")
    output = run(with_group(*tasks, end, expansion=Expansion(length=3)), Function(failing=failing)).output
    failed = {f"g.d[{name[-2]}]" for name in failing if name[2] in "ab"}
    assert [one["state"] for one in output["g.d"]["instances"]] == [
        "upstream_failed" if f"g.d[{index}]" in failed else "success" for index in range(3)
    ]


def test_waits_that_nesting_a_group_adds_are_said() -> None:
    workflow = with_group(*N_SHAPE, expansion=Expansion(length=3))
    waits = [one for one in lower(workflow, "barrier").findings if one.id == "OB321"]
    assert [(one.task_id, one.message.partition(":")[0]) for one in waits] == [("g.c", "also waits for g.b")]


def test_joins_in_a_group_and_around_it_are_told_apart() -> None:
    outside = (
        a_task("a", "g.d"),
        a_task("b", "g.d"),
        a_task("c", "a"),
        a_task("d", "a", "b"),
    )
    workflow = with_group(*N_SHAPE, *outside, expansion=Expansion(length=2))
    ended = run(workflow, Function())
    assert ended.status == "SUCCEEDED"
    assert ended.output["d"]["state"] == "success"
    text = json.dumps(lower(workflow).definition)
    assert {f"report{number}" for number in (1, 2)} <= set(re.findall(r"report\d", text))


def test_all_tasks_of_a_group_count_for_the_history() -> None:
    tasks = [member(f"g.{i}", "a", retry=Retry(attempts=2)) for i in range(5)]
    (finding,) = [one for one in lower(with_group(a_task("a"), *tasks)).findings if one.attribute == "expand"]
    assert finding.id == "OB344"
    assert "up to 478 instances of up to 59 events each" in finding.message
