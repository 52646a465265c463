"""A DAG in several state machines runs as in one: the same states, at the same time, with the same knowledge."""

from __future__ import annotations

import itertools
import os
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from simulate import Played, expected_run, expected_states, play, run_lowered
from workflows import a_task, a_workflow, from_edges

from orkestra_bridge.asl.check import check
from orkestra_bridge.asl.measure import definition_bytes
from orkestra_bridge.ir.model import Attribute, Expansion, MappedGroup, Retry
from orkestra_bridge.local.interpreter import StatesError, VirtualClock
from orkestra_bridge.lowering.cutting import PART, Weight, cut, own_tasks, parts_of
from orkestra_bridge.lowering.join import TABLE
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.lowering.parts import AWS, FILLED
from orkestra_bridge.lowering.payload import ROOM
from orkestra_bridge.lowering.regions import Leaf, Parallel, Series, task_ids
from orkestra_bridge.lowering.task import FUNCTION
from orkestra_bridge.runtime.event import unpacked
from orkestra_bridge.runtime.trigger_rules import RULES

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.lowering.regions import Region

OUTCOMES = ("success", "failed", "skipped")
SMALL = Weight(9_000, 400, ROOM)
"""Room for some five tasks."""


def chain(count: int, **fields: Any) -> Workflow:
    names = [f"t{i}" for i in range(count)]
    return from_edges(names, list(itertools.pairwise(names)), **fields)


def fan(count: int) -> Workflow:
    names = [f"t{i}" for i in range(count)]
    edges = [edge for name in names for edge in (("first", name), (name, "last"))]
    return from_edges(["first", *names, "last"], edges, last={"trigger_rule": "all_done"})


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    names = [f"t{i}" for i in range(draw(st.integers(6, 14)))]
    edges = draw(st.lists(st.sampled_from(list(itertools.combinations(names, 2))), unique=True))
    rules = sorted(set(RULES) - {"all_done_setup_success"})
    fields = {name: {"trigger_rule": draw(st.sampled_from(rules))} for name in names}
    return from_edges(names, edges, **fields)


def assert_equal(cut_up: Played, whole: Played) -> None:
    assert (cut_up.status, cut_up.states) == (whole.status, whole.states)
    assert sorted(cut_up.calls) == sorted(whole.calls)
    assert cut_up.started == pytest.approx(whole.started)


@given(st.data())
@settings(max_examples=60)
def test_parts_change_nothing_about_a_run(data: st.DataObject) -> None:
    workflow = data.draw(workflows())
    limit = Weight(data.draw(st.integers(6_000, 20_000)), 10**6, ROOM)
    assume(lower(workflow, "token", limit).parts)
    names = [task.task_id for task in workflow.tasks]
    outcomes = {name: data.draw(st.sampled_from(OUTCOMES)) for name in names}
    durations = {name: data.draw(st.integers(1, 50)) + 2.0 ** -(i + 1) for i, name in enumerate(names)}
    assert_equal(play(workflow, outcomes, durations, limit=limit), play(workflow, outcomes, durations))


@pytest.mark.parametrize("workflow", [chain(12), fan(12)], ids=["series", "parallel"])
@pytest.mark.parametrize("failing", ["t1", "t7", "t11"])
def test_failures_inside_of_parts_do_what_they_always_do(workflow: Workflow, failing: str) -> None:
    lowered = lower(workflow, "token", SMALL)
    assert len(lowered.parts) > 1
    outcomes = {failing: "failed"}
    played = play(workflow, outcomes, limit=SMALL)
    expected = expected_states(workflow, outcomes)
    assert (played.states, played.status) == (expected, expected_run(workflow, expected))
    assert_equal(played, play(workflow, outcomes))


@given(workflows())
@settings(max_examples=40)
def test_definitions_pass_our_own_validator(workflow: Workflow) -> None:
    lowered = lower(workflow, "token", SMALL)
    arns = [f"${{Part{number}Arn}}" for number in range(1, len(lowered.parts) + 1)]
    for definition in (lowered.definition, *lowered.parts.values()):
        assert check(definition, placeholders=(FUNCTION, TABLE, *arns), expressions=True) == ()


@given(workflows())
@settings(max_examples=40)
def test_no_machine_is_beyond_the_limit_that_could_be_cut(workflow: Workflow) -> None:
    lowered = lower(workflow, "token", SMALL)
    sizes = [definition_bytes(each, FILLED) for each in (lowered.definition, *lowered.parts.values())]
    refused = {finding.id for finding in lowered.findings} & {"OB326", "OB351"}
    assert refused or max(sizes) <= SMALL.size


def told(workflow: Workflow, limit: Weight, *, data: Any = None) -> dict[str, Any]:
    """Return what each task is told, in a run in which all succeed."""
    found: dict[str, Any] = {}

    async def runner(call: Any) -> Any:
        payload = unpacked(call.arguments["Payload"])
        found[payload["task_id"]] = payload
        return {"Payload": {"state": "success", "tries": 1, "xcom": {"return_value": payload["task_id"]}}}

    ended = run_lowered(lower(workflow, "token", limit), runner, VirtualClock(), data)
    assert ended.status == "SUCCEEDED", ended.cause
    found["result"] = ended.output
    return found


@pytest.mark.parametrize("workflow", [chain(12), fan(12)], ids=["series", "parallel"])
def test_tasks_see_the_run_and_all_that_is_above_them(workflow: Workflow) -> None:
    document = {"run_id": "r", "run_type": "manual", "conf": {"a": [1]}}
    assert told(workflow, SMALL, data=document) == told(workflow, AWS, data=document)


def test_a_resumed_ledger_reaches_the_parts() -> None:
    kept = {"t3": {"state": "success", "tries": 2, "xcom": {"return_value": "kept"}}}
    assert told(chain(12), SMALL, data={"ledger": kept}) == told(chain(12), AWS, data={"ledger": kept})


def test_joins_meet_across_parts() -> None:
    names = [f"{side}{i}" for i in range(8) for side in "ab"]
    edges = [(f"{side}{i}", f"{side}{i + 1}") for side in "ab" for i in range(7)]
    workflow = from_edges(names, [*edges, ("a2", "b5"), ("b3", "a6")], b5={"trigger_rule": "all_done"})
    lowered = lower(workflow, "token", SMALL)
    assert len(lowered.decomposition.relaxed) == 2
    homes = {name: part.number for part in parts_of(lowered.region) for name in own_tasks(part.region)}
    assert homes["a2"] != homes["b5"]
    for slow in names:
        for outcome in ("success", "failed"):
            arguments = ({"a2": outcome}, {slow: 9.0})
            assert_equal(play(workflow, *arguments, limit=SMALL), play(workflow, *arguments))


def mapped() -> Workflow:
    inside: dict[str, Any] = {"mapped": True, "mapped_group": "g"}
    before = [a_task(f"t{i}", *([f"t{i - 1}"] if i else [])) for i in range(6)]
    return a_workflow(
        *before,
        a_task("each", "t5", mapped=True, expansion=Expansion(length=3)),
        a_task("g.a", "each", **inside),
        a_task("g.b", "g.a", **inside),
        a_task(
            "end",
            "g.b",
            trigger_rule="all_done",
            attributes=(Attribute(name="on_failure_callback", value="dag.f"),),
        ),
        mapped_groups=(MappedGroup(group_id="g", expansion=Expansion(length=2)),),
    )


@pytest.mark.parametrize("failing", [None, "each", "g.a", "end"])
def test_mapped_tasks_and_callbacks_run_in_parts(failing: str | None) -> None:
    workflow = mapped()
    assert lower(workflow, "token", SMALL).parts

    def outcome(limit: Weight) -> Any:
        seen: list[Any] = []

        async def runner(call: Any) -> Any:
            payload = unpacked(call.arguments["Payload"])
            task_id, index = payload["task_id"], payload.get("map_index", -1)
            seen.append((task_id, index, payload.get("callback"), payload["execution"], payload["ledger"]))
            if "callback" in payload:
                return {"Payload": payload["ledger"][task_id]}
            if task_id == failing and index < 1:
                raise StatesError("ValueError", "{}")
            return {
                "Payload": {"state": "success", "tries": 1, **({"map_index": index} if index >= 0 else {})}
            }

        ended = run_lowered(lower(workflow, "token", limit), runner, VirtualClock())
        return ended, sorted(seen, key=str)

    assert outcome(SMALL) == outcome(AWS)


def test_what_cannot_be_cut_is_refused_with_the_numbers() -> None:
    lowered = lower(a_workflow(a_task("a"), a_task("b", "a")), "token", Weight(500, 10**6, ROOM))
    found = [finding for finding in lowered.findings if finding.id == "OB326"]
    assert found
    assert "AWS allows 500" in found[0].message
    lowered = lower(chain(3), "token", Weight(10**6, 10, ROOM))
    assert any(
        "its history holds 10" in finding.message for finding in lowered.findings if finding.id == "OB351"
    )


def test_where_no_cut_fits_the_lightest_is_taken() -> None:
    names = [f"t{i}" for i in range(60)]
    edges = [(u, v) for i, u in enumerate(names) for v in names[i + 1 : i + 4 : 2]]
    workflow = from_edges(names, edges, t30={"retry": Retry(attempts=400)})
    limit = Weight(12_000, 600, ROOM)
    lowered = lower(workflow, "token", limit)
    beyond = [name for name, weight in lowered.weights.items() if weight.events > limit.events]
    assert len(lowered.parts) > 1
    assert [finding.id for finding in lowered.findings if finding.id in ("OB326", "OB351")] == ["OB351"]
    assert len(beyond) == 1


def test_a_dag_in_parts_is_said_to_be_one() -> None:
    lowered = lower(chain(12), "token", SMALL)
    (finding,) = [one for one in lowered.findings if one.id == "OB350"]
    assert (finding.severity.value, finding.dag_id) == ("info", "example")
    assert [one for one in lower(chain(12)).findings if one.id == "OB350"] == []


def series(items: list[Region]) -> Series:
    """Return a Series that, like any other, holds no Series itself."""
    return Series(
        tuple(each for item in items for each in (item.items if isinstance(item, Series) else [item]))
    )


def parallel(items: list[Region]) -> Parallel:
    """Return a Parallel that holds no Parallel itself."""
    return Parallel(
        tuple(each for item in items for each in (item.branches if isinstance(item, Parallel) else [item]))
    )


regions = st.recursive(
    st.just(Leaf("x")),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=6).map(series),
        st.lists(inner, min_size=2, max_size=6).map(parallel),
    ),
    max_leaves=40,
)


def bare(region: Region) -> Any:
    """Return the nesting without parts, and without what a part put into what was flat before."""
    match region:
        case Leaf():
            return region.task_id
        case Series() | Parallel():
            inside = [
                bare(item) for item in (region.items if isinstance(region, Series) else region.branches)
            ]
            kind = type(region).__name__
            flat: list[Any] = []
            for one in inside:
                flat += one[1] if isinstance(one, tuple) and one[0] == kind else [one]
            return (kind, flat)
        case _:
            return bare(region.region)


TWO_BRANCHES_AND_TWO_HEAVY_ITEMS = Parallel(
    (Leaf("x"), Leaf("x"), Series((Parallel((Leaf("x"),) * 2), Parallel((Leaf("x"),) * 3))))
)


@given(regions, st.integers(3, 30))
@example(TWO_BRANCHES_AND_TWO_HEAVY_ITEMS, 3)
@settings(max_examples=100)
def test_cutting_keeps_the_nesting_and_the_limit(region: Region, most: int) -> None:
    limit = Weight(PART.size * most, PART.events * most, ROOM)
    weight = Weight(1_000, 30)
    after = cut(region, lambda _: weight, limit)
    assert bare(after) == bare(region)
    assert task_ids(after) == task_ids(region)
    parts = list(parts_of(after))
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    for part in parts:
        assert len(list(own_tasks(part.region))) * weight.size <= limit.size


@pytest.mark.skipif("ORKESTRA_EQUIVALENCE" not in os.environ, reason="takes minutes")
def test_three_thousand_tasks_in_twenty_rows_fit_into_parts() -> None:
    """Reports bring lists of tasks that grow with the DAG, which estimates of single tasks know nothing of."""
    rng = random.Random(1)
    names = [f"task_{number}" for number in range(3_000)]
    layers = [names[start : start + 20] for start in range(0, 3_000, 20)]
    edges = [
        (above, name)
        for before, layer in itertools.pairwise(layers)
        for name in layer
        for above in rng.sample(before, rng.randint(1, 3))
    ]
    lowered = lower(from_edges(names, edges))
    assert [finding.id for finding in lowered.findings if finding.severity.value == "error"] == []
    assert all(weight.within(AWS) for weight in lowered.weights.values())
