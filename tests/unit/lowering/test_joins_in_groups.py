"""Joins in the instances of mapped groups: each task starts when Airflow would start it, instance by instance."""

from __future__ import annotations

import asyncio
import itertools
import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto_engine import run_with_moto
from simulate import expected_states, run_lowered
from workflows import a_task, a_workflow

from orkestra_bridge.asl.check import check
from orkestra_bridge.diagnostics import Severity
from orkestra_bridge.ir.model import Expansion, MappedGroup
from orkestra_bridge.ir.serialize import to_document
from orkestra_bridge.local.interpreter import StatesError, VirtualClock, millis
from orkestra_bridge.lowering.join import TABLE
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.lowering.task import FUNCTION
from orkestra_bridge.runtime.event import unpacked
from orkestra_bridge.runtime.failure import completed
from orkestra_bridge.runtime.trigger_rules import EARLY_STATES, RULES
from orkestra_bridge.runtime.verdict import verdict_of

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Task, Workflow
    from orkestra_bridge.local.interpreter import Execution, TaskCall
    from orkestra_bridge.options import Maps

LENGTH = 2
OUTCOMES = ("success", "failed", "skipped")
ALL_RULES = sorted(set(RULES) - {"all_done_setup_success"})
Kind = Literal["known", "open", "distributed"]
KINDS: tuple[Kind, ...] = ("known", "open", "distributed")


def member(task_id: str, *upstream: str, **fields: Any) -> Task:
    return a_task(task_id, *upstream, mapped=True, mapped_group="g", **fields)


def with_group(kind: Kind, *tasks: Task) -> Workflow:
    """Return a workflow with a group of two instances; after it, a task that needs all of them."""
    length = None if kind == "open" else LENGTH
    first = () if length else (a_task("list"),)
    expansion = Expansion(length=length, over=() if length else ("list",))
    end = a_task("end", *(task.task_id for task in tasks), trigger_rule="all_done")
    return a_workflow(*first, *tasks, end, mapped_groups=(MappedGroup(group_id="g", expansion=expansion),))


def maps_of(kind: Kind) -> Maps:
    return "distributed" if kind == "distributed" else "auto"


@dataclass
class Group:
    """Plays outcomes and durations, both by ``task_id[map index]``; remembers when what has started and ended.

    ``seen`` has the ids that each instance's ledger knew a state of.
    """

    workflow: Workflow
    outcomes: dict[str, str] = field(default_factory=dict)
    durations: dict[str, float] = field(default_factory=dict)
    clock: VirtualClock = field(default_factory=VirtualClock)
    started: dict[str, float] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    seen: dict[str, set[str]] = field(default_factory=dict)

    def run(self, kind: Kind) -> Execution:
        lowered = lower(self.workflow, maps=maps_of(kind))
        assert not [finding for finding in lowered.findings if finding.severity is Severity.ERROR]
        # on a virtual clock, waiting for ever would stop the test
        ended = run_lowered(lowered, self.invoked, self.clock, seconds=10**6)
        assert ended.status == "SUCCEEDED", ended.cause
        return ended

    def run_on_moto(self, kind: Kind) -> Execution:
        definition = lower(self.workflow, maps=maps_of(kind)).definition
        assert check(definition, placeholders=(FUNCTION, TABLE), expressions=True) == ()
        return run_with_moto(definition, {}, lambda payload: self.answer(unpacked(payload)))

    async def invoked(self, call: TaskCall) -> Any:
        event = unpacked(call.arguments["Payload"])
        key = f"{event['task_id']}[{event.get('map_index', -1)}]"
        self.started[key] = self.clock.elapsed
        if "expand" not in event and self.verdict(event).decision == "run":
            await asyncio.sleep(self.durations.get(key, 0.0))
        self.ended[key] = self.clock.elapsed
        return {"Payload": self.answer(event)}

    def verdict(self, event: dict[str, Any]) -> Any:
        index = event.get("map_index", -1)
        return verdict_of(event["task_id"], to_document(self.workflow), event["ledger"], map_index=index)

    def answer(self, event: dict[str, Any]) -> dict[str, Any]:
        if "expand" in event:
            inside = [task.task_id for task in self.workflow.tasks if task.mapped_group]
            return {name: {"length": LENGTH, "share": 1000} for name in inside}
        index, verdict = event.get("map_index", -1), self.verdict(event)
        key = f"{event['task_id']}[{index}]"
        self.seen[key] = {name for name, entry in event["ledger"].items() if "state" in entry}
        state = self.outcomes.get(key, "success") if verdict.decision == "run" else verdict.decision
        self.states[key] = state
        place = {} if index < 0 else {"map_index": index}
        if verdict.decision != "run":
            return {**verdict.entry(), **place}
        if state == "failed":
            raise StatesError("ValueError", '{"errorMessage": "meant to fail"}')
        return {"state": state, "tries": 1, "at": millis(self.clock.now()), **place}


@st.composite
def members(draw: st.DrawFn) -> list[Task]:
    names = [f"g.t{i}" for i in range(draw(st.integers(2, 8)))]
    edges = draw(st.lists(st.sampled_from(list(itertools.combinations(names, 2))), unique=True))
    rules = [draw(st.sampled_from(ALL_RULES)) for _ in names]
    return [
        member(name, *(u for u, v in edges if v == name), trigger_rule=rule)
        for name, rule in zip(names, rules, strict=True)
    ]


def start_of(task: Task, index: int, played: Group) -> float:
    """Return when Airflow would start this instance of a task, or decide that it does not run."""
    ends = sorted((played.ended[f"{name}[{index}]"], f"{name}[{index}]") for name in task.upstream)
    if task.trigger_rule == "always" or not ends:
        return 0.0
    early = EARLY_STATES.get(task.trigger_rule, ()) if len(ends) > 1 else ()
    matching = [end for end, key in ends if played.states[key] in early]
    return matching[0] if matching else ends[-1][0]


@given(st.data(), st.sampled_from(KINDS))
@settings(max_examples=100)
def test_each_instance_of_a_task_starts_when_its_rule_allows(data: st.DataObject, kind: Kind) -> None:
    inside = data.draw(members())
    keys = [f"{task.task_id}[{index}]" for task in inside for index in range(LENGTH)]
    played = Group(
        with_group(kind, *inside),
        outcomes={key: data.draw(st.sampled_from(OUTCOMES)) for key in keys},
        durations={key: data.draw(st.integers(1, 50)) + 2.0 ** -(i + 1) for i, key in enumerate(keys)},
    )
    output = played.run(kind).output
    alone = a_workflow(*(replace(task, mapped=False, mapped_group=None) for task in inside))
    for index in range(LENGTH):
        own = {task.task_id: f"{task.task_id}[{index}]" for task in inside}
        expected = expected_states(
            alone,
            {name: played.outcomes[key] for name, key in own.items()},
            {name: played.ended[key] for name, key in own.items()},
        )
        for task in inside:
            key = own[task.task_id]
            assert played.started[key] == pytest.approx(start_of(task, index, played)), key
            assert completed(output[task.task_id])["instances"][index]["state"] == expected[task.task_id]
    assert output["end"]["state"] == "success"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(5))
def test_random_groups_end_the_same_on_motos_interpreter_and_table(seed: int, kind: Kind) -> None:
    chance = random.Random(seed)
    names = [f"g.t{i}" for i in range(chance.randint(5, 9))]
    edges = [(u, v) for i, u in enumerate(names) for v in names[i + 1 :] if chance.random() < 0.35]
    inside = [
        member(
            name,
            *(u for u, v in edges if v == name),
            trigger_rule=chance.choice(["all_done", "one_success", "none_failed"]),
        )
        for name in names
    ]
    outcomes = {f"{name}[{index}]": chance.choice(OUTCOMES) for name in names for index in range(LENGTH)}
    played = Group(with_group(kind, *inside), outcomes=outcomes)
    assert played.run_on_moto(kind).status == "SUCCEEDED"
    alone = a_workflow(*(replace(task, mapped=False, mapped_group=None) for task in inside))
    for index in range(LENGTH):
        expected = expected_states(alone, {name: outcomes[f"{name}[{index}]"] for name in names})
        assert {name: played.states[f"{name}[{index}]"] for name in names} == expected


FAST_AND_SLOW = (
    member("g.fast"),
    member("g.slow"),
    member("g.quick", "g.fast", "g.slow", trigger_rule="one_success"),
    member("g.next", "g.quick"),
    member("g.all", "g.fast", "g.slow"),
)


@pytest.mark.parametrize("kind", KINDS)
def test_an_early_rule_starts_a_task_at_the_first_match_of_its_own_instance(kind: Kind) -> None:
    durations = {"g.fast[0]": 1.0, "g.slow[0]": 50.0, "g.fast[1]": 20.0, "g.slow[1]": 30.0, "g.next[0]": 5.0}
    played = Group(with_group(kind, *FAST_AND_SLOW), {"g.fast[1]": "failed"}, durations)
    output = played.run(kind).output
    started = {key: moment for key, moment in played.started.items() if "quick" in key or "all" in key}
    assert started == {"g.quick[0]": 1.0, "g.all[0]": 50.0, "g.quick[1]": 30.0, "g.all[1]": 30.0}
    assert played.started["g.next[0]"] == 1.0
    states = [one["state"] for one in completed(output["g.slow"])["instances"]]
    assert states == ["success", "success"]  # what was not there yet when a task started is there in the end


def test_what_did_not_report_is_not_passed_on_as_if_it_had_not_run() -> None:
    """The ledger of an instance has entries of tasks that have not run yet, which must not come over later ones."""
    edges = {"t2": "1", "t3": "0", "t4": "023", "t5": "24", "t6": "1", "t7": "146", "t8": "01347"}
    rules = {"t2": "all_done", "t4": "all_done", "t7": "one_done", "t8": "one_done"}
    inside = [
        member(
            f"g.t{i}",
            *(f"g.t{upstream}" for upstream in edges.get(f"t{i}", "")),
            trigger_rule=rules.get(f"t{i}", "one_success"),
        )
        for i in range(9)
    ]
    seconds = (31, 8, 27, 17, 25, 16, 28, 46, 50)
    durations = {f"g.t{i}[{index}]": float(seconds[i]) for i in range(9) for index in range(LENGTH)}
    output = Group(with_group("open", *inside), durations=durations).run("open").output
    for task in inside:
        assert [one["state"] for one in output[task.task_id]["instances"]] == ["success"] * LENGTH


def test_a_report_of_many_entries_has_none_of_tasks_that_have_not_run() -> None:
    chain = [member("g.a0"), *(member(f"g.a{i}", f"g.a{i - 1}") for i in range(1, 45))]
    other = (member("g.b"), member("g.c", "g.a44"), member("g.d", "g.b"), member("g.e", "g.a44", "g.b"))
    workflow = with_group("known", *chain, *other)
    assert "$string($states.input)" not in str(lower(workflow).definition)
    alone = a_workflow(*(replace(task, mapped=False, mapped_group=None) for task in (*chain, *other)))
    assert "$string($states.input)" in str(lower(alone).definition)
    played = Group(workflow, durations={"g.a0[0]": 9.0})
    played.run("known")
    assert played.seen["g.e[0]"] >= {task.task_id for task in chain}


def findings(workflow: Workflow, finding: str, **options: Any) -> list[tuple[str | None, str]]:
    return [(one.task_id, one.message) for one in lower(workflow, **options).findings if one.id == finding]


@pytest.mark.parametrize("rule", ["one_success", "one_failed", "one_done"])
def test_what_airflow_makes_of_early_rules_in_a_group(rule: str) -> None:
    inside = (member("g.a"), member("g.b"), member("g.c", "g.a", "g.b", trigger_rule=rule))
    for kind in KINDS:
        workflow = with_group(kind, *inside)
        told = findings(replace(workflow, airflow_version="3.3.0"), "OB343", maps=maps_of(kind))
        assert [task_id for task_id, _ in told] == (["g.c"] if kind == "open" else [])
        assert all("without expanding it" in message for _, message in told)
        for version in ("2.11.2", "3.2.2"):
            ((task_id, message),) = findings(replace(workflow, airflow_version=version), "OB343")
            assert task_id == "g.c"
            assert f"Airflow {version} looks at all instances together" in message
        assert findings(workflow, "OB322") == findings(workflow, "OB321") == []


def test_a_rule_that_airflow_3_evaluates_for_all_instances_together() -> None:
    inside = (member("g.a"), member("g.b", "g.a", trigger_rule="none_failed_min_one_success"))
    found = {
        (kind, version): bool(findings(replace(with_group(kind, *inside), airflow_version=version), "OB343"))
        for kind in ("known", "open")
        for version in ("2.11.2", "3.3.2")
    }
    assert [key for key, told in found.items() if not told] == [("known", "3.3.2")]


def test_where_a_task_of_a_group_cannot_start_early_it_is_said() -> None:
    outside = a_task("a")
    mixed = member("g.c", "a", "g.b", trigger_rule="one_failed")
    group = (MappedGroup(group_id="g", expansion=Expansion(length=LENGTH)),)
    workflow = a_workflow(outside, member("g.b"), mixed, mapped_groups=group)
    ((task_id, message),) = findings(workflow, "OB322")
    assert (task_id, "outside of its mapped group" in message) == ("g.c", True)
    ((task_id, message),) = findings(with_group("known", *FAST_AND_SLOW), "OB322", joins="barrier")
    assert (task_id, "join with tokens" in message) == ("g.quick", True)


def test_what_a_group_is_expanded_over_matches_before_an_instance_runs() -> None:
    rules = ("one_success", "one_done", "one_failed")
    inside = (
        member("g.a"),
        member("g.b"),
        *(member(f"g.{rule}", "list", "g.a", "g.b", trigger_rule=rule) for rule in rules),
    )
    workflow = with_group("open", *inside)
    durations = {"g.a[0]": 5.0, "g.b[0]": 9.0, "g.a[1]": 5.0, "g.b[1]": 9.0}
    played = Group(workflow, {"g.a[0]": "failed", "g.b[0]": "failed"}, durations)
    played.run("open")
    started = {rule: [played.started[f"g.{rule}[{index}]"] for index in range(LENGTH)] for rule in rules}
    assert started == {"one_success": [0, 0], "one_done": [0, 0], "one_failed": [5, 9]}
    assert [played.states[f"g.{rule}[0]"] for rule in rules] == ["success"] * 3
    assert [task_id for task_id, _ in findings(workflow, "OB343")] == ["g.one_failed"]
    assert findings(workflow, "OB322") == []


def test_always_waits_for_nothing_but_what_is_outside() -> None:
    inside = (member("g.a", "list"), member("g.b", "g.a", trigger_rule="always"))
    workflow = with_group("open", *inside)
    played = Group(workflow, durations={"g.a[0]": 9.0})
    played.run("open")
    assert played.started["g.b[0]"] == 0
    (told,) = findings(workflow, "OB321")
    assert told == ("g.b", "also waits for list: the instances of mapped group g start together")
