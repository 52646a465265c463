"""Workflow -> the whole state machine."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, final

from orkestra_bridge.asl.check import check
from orkestra_bridge.asl.model import ChoiceState, Machine, inner_machines
from orkestra_bridge.ir.graph import bits, mask_of
from orkestra_bridge.lowering.container import placeholders
from orkestra_bridge.lowering.early import starts_inside, starts_of
from orkestra_bridge.lowering.ending import lower_ending
from orkestra_bridge.lowering.functions import function_arns
from orkestra_bridge.lowering.groups import check_groups, grouped
from orkestra_bridge.lowering.join import JOIN_TRANSITIONS, TABLE
from orkestra_bridge.lowering.joining import joins_of
from orkestra_bridge.lowering.limits import check_limits
from orkestra_bridge.lowering.map_data import ledger_shares
from orkestra_bridge.lowering.map_limits import Members, check_mapping, distributed_maps
from orkestra_bridge.lowering.nesting import lower_region
from orkestra_bridge.lowering.order import setup_graph, waiting_order
from orkestra_bridge.lowering.part import part_arn
from orkestra_bridge.lowering.parts import AWS, within_limits
from orkestra_bridge.lowering.payload import sized
from orkestra_bridge.lowering.regions import Decomposition, decompose
from orkestra_bridge.lowering.rules import ADDED_WAIT, INVALID_MACHINE
from orkestra_bridge.lowering.scope import FIRST_INPUT, Plan, Scope
from orkestra_bridge.lowering.size import check_size
from orkestra_bridge.naming import StateNames
from orkestra_bridge.operators.images import builds_of, definitions_of
from orkestra_bridge.operators.registry import CUSTOM, family_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.asl.model import State
    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.lowering.cutting import Weight
    from orkestra_bridge.lowering.early import Starts
    from orkestra_bridge.lowering.groups import Grouped
    from orkestra_bridge.lowering.joining import Joins as Joined
    from orkestra_bridge.lowering.parts import Machines
    from orkestra_bridge.lowering.regions import Region
    from orkestra_bridge.operators.registry import Family
    from orkestra_bridge.options import Joins, Maps

_SHOWN_WAITS = 5


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """The product of this stage.

    Attributes:
        definition: The ASL, with ``${TasksFunctionArn}`` and the like to be filled in.
        parts: The ASL of each part by its name, where the DAG does not fit into one state machine.
        decomposition: How the graph was nested.
        region: The nesting with its parts.
        workflow: The workflow as the runtime has to know it: with the limits of the ledger's entries, and with the
            tasks whose entries a part puts away.
        states: Number of states, in all machines.
        transitions: State transitions of a run in which every task succeeds; with joins, the most there can be.
        weights: What each machine takes of AWS's limits, by its part's name; the DAG's own has an empty one.
    """

    workflow: Workflow
    definition: dict[str, Any]
    decomposition: Decomposition
    region: Region
    states: int
    transitions: int
    weights: Mapping[str, Weight]
    findings: tuple[Finding, ...]
    parts: Mapping[str, dict[str, Any]] = field(default_factory=dict)


def lower(workflow: Workflow, joins: Joins = "token", limit: Weight = AWS, maps: Maps = "auto") -> Lowered:
    """Return the state machines of a workflow whose operators all have a family.

    ``joins`` says what enforces an edge that does not nest, as in `ConvertOptions`. ``limit`` is what one state machine
    may take; what is larger is cut into parts. ``maps`` is as in `ConvertOptions`.
    """
    workflow = sized(workflow)
    groups = grouped(workflow)
    starts, decomposition = nest(workflow, joins)
    families = _families(workflow)
    inside = starts_inside(workflow, groups, families, joins)
    nested = {name: decompose(each.order, joins) for name, each in inside.items()}
    joined = joins_of(groups.workflow, starts, decomposition)
    members = Members(tasks=groups.members, joins=_joins_inside(groups, inside, nested, joined.reports + 1))
    distributed = _distributed(groups, members, maps)
    plan = replace(
        _plan(groups, workflow, families, joined, members),
        distributed=distributed,
        shares=ledger_shares(workflow, groups.workflow, groups.members, starts.order, distributed),
        inside={name: each.region for name, each in nested.items()},
    )
    machines = within_limits(plan, decomposition.region, _machine, limit)
    plan = machines.plan
    findings = (
        *check_limits(
            workflow, {name: why for each in (starts, *inside.values()) for name, why in each.late.items()}
        ),
        *check_mapping(groups.workflow, members, plan.sharing, plan.distributed, _most(plan)),
        *check_groups(workflow, groups, nested),
        *_waits(groups.workflow, decomposition),
        *_own_check(machines),
        *check_size(machines, limit),
    )
    archived = tuple(plan.archived[number] for number in sorted(plan.archived))
    return Lowered(
        workflow=replace(workflow, archived=archived),
        definition=machines.main.definition,
        parts={part.name: part.definition for part in machines.parts},
        decomposition=decomposition,
        region=machines.region,
        states=sum(_states(each.machine) for each in machines.all),
        transitions=sum(_transitions(each.machine) for each in machines.all)
        + JOIN_TRANSITIONS * sum(len(each.waiting) for each in (joined, *members.joins.values())),
        weights={each.name: each.weight for each in machines.all},
        findings=findings,
    )


def _joins_inside(
    groups: Grouped, starts: Mapping[str, Starts], nested: Mapping[str, Decomposition], first: int
) -> dict[str, Joined]:
    """Return the joins of each mapped group; no two reports of the machine have the same number."""
    found = {}
    for name, decomposition in nested.items():
        alone = replace(groups.workflow, tasks=groups.members[name])
        found[name] = joins_of(alone, starts[name], decomposition, first)
        first += found[name].reports
    return found


def _most(plan: Plan) -> dict[str, int]:
    """Return for how many instances the ledger has room; where parts put entries away, that is no limit."""
    return {} if plan.archives else {name: share.most for name, share in plan.shares.items()}


def _distributed(groups: Grouped, members: Members, maps: Maps) -> frozenset[str]:
    if maps == "distributed":
        return frozenset(task.task_id for task in groups.workflow.tasks if task.expansion)
    return distributed_maps(groups.workflow, members)


def nest(workflow: Workflow, joins: Joins) -> tuple[Starts, Decomposition]:
    """Return when the tasks of a workflow start, and the nesting of that order; operators may be unknown ones.

    A mapped task group counts as one task, by its own id.
    """
    groups = grouped(workflow)
    families = {task.task_id: family_of(task) or CUSTOM for task in groups.workflow.tasks}
    starts = starts_of(workflow, groups, families, joins)
    return starts, decompose(starts.order, joins)


def _machine(plan: Plan, region: Region) -> Machine:
    workflow = plan.workflow
    decide = plan.names.fresh("Run state")
    body = lower_region(plan, region, Scope(ledger=FIRST_INPUT), decide)
    return Machine(
        comment=f"Airflow DAG {workflow.dag_id} ({workflow.span.file})",
        start_at=body.start_at,
        states=body.states | lower_ending(plan, decide),
        timeout=None if workflow.dagrun_timeout is None else max(1, math.ceil(workflow.dagrun_timeout)),
    )


def _families(workflow: Workflow) -> dict[str, Family]:
    families = {}
    for task in workflow.tasks:
        family = family_of(task)
        assert family is not None, f"{task.task_id}: operators are checked before lowering"
        families[task.task_id] = family
    return families


def _plan(
    groups: Grouped, workflow: Workflow, families: Mapping[str, Family], joins: Joined, members: Members
) -> Plan:
    order = waiting_order(workflow.tasks)
    skipping = mask_of(index for index, name in enumerate(order.names) if families[name].skips)
    skippers = {
        name: tuple(order.names[other] for other in bits(order.above[index] & skipping))
        for index, name in enumerate(order.names)
    }
    names = StateNames(task.task_id for task in workflow.tasks)
    setups = setup_graph(workflow.tasks)
    return Plan(
        workflow=workflow,
        names=names,
        families=families,
        skippers=skippers,
        setups=setups,
        joins=joins,
        members=members,
        groups=groups,
        images=definitions_of(workflow),
        builds=builds_of(workflow),
    )


def _waits(workflow: Workflow, decomposition: Decomposition) -> list[Finding]:
    found = []
    for wait in decomposition.waits:
        shown = ", ".join(wait.waits_for[:_SHOWN_WAITS])
        more = len(wait.waits_for) - _SHOWN_WAITS
        others = f" and {more} more" if more > 0 else ""
        found.append(
            ADDED_WAIT.at(
                workflow.task(wait.task_id).span,
                f"also waits for {shown}{others}: chains and Parallel states cannot express this graph exactly",
                "nothing if the time does not matter; else split the task or the DAG so that the graph nests",
                dag_id=workflow.dag_id,
                task_id=wait.task_id,
            )
        )
    return found


def _own_check(machines: Machines) -> list[Finding]:
    workflow = machines.plan.workflow
    arns = [*placeholders(machines.plan), *(part_arn(number) for number in machines.plan.parts)]
    return [
        INVALID_MACHINE.at(
            workflow.span,
            problem,
            "this is a bug of the translator: please report it",
            dag_id=workflow.dag_id,
        )
        for each in machines.all
        for problem in check(each.definition, placeholders=(*function_arns(workflow), TABLE, *arns))
    ]


def _states(machine: Machine) -> int:
    inner = (_states(part) for state in machine.states.values() for part in inner_machines(state))
    return len(machine.states) + sum(inner)


def _transitions(machine: Machine) -> int:
    """Count the states that a run enters in which nothing fails, no report completes a join and nobody waits."""
    count = 0
    seen: set[str] = set()
    following: str | None = machine.start_at
    while following is not None:
        state = machine.states[following]
        seen.add(following)
        count += 1 + sum(map(_transitions, inner_machines(state)))
        following = _onward(state, seen)
    return count


def _onward(state: State, seen: set[str]) -> str | None:
    if not isinstance(state, ChoiceState):
        return getattr(state, "next", None)
    # a loop is left by the first way
    return state.choices[0].next if state.default in seen else state.default
