"""State machines within AWS's limits: one if all fits into it, else one for the DAG and one for each part."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, final

from orkestra_bridge.asl.measure import (
    DEFINITION_LIMIT,
    HISTORY_LIMIT,
    definition_bytes,
    most_events,
    states_events,
)
from orkestra_bridge.asl.model import Machine, child_machines, state_names
from orkestra_bridge.asl.render import to_asl
from orkestra_bridge.lowering.container import CLUSTER, DEFINITION, SECURITY_GROUPS, SUBNETS, placeholders
from orkestra_bridge.lowering.cutting import Weight, cut, own_tasks, parts_of, shares
from orkestra_bridge.lowering.functions import function_arns
from orkestra_bridge.lowering.join import TABLE
from orkestra_bridge.lowering.liveness import looked_at_later
from orkestra_bridge.lowering.map_limits import instance_bytes
from orkestra_bridge.lowering.nesting import states_of_task
from orkestra_bridge.lowering.part import part_arn, part_name
from orkestra_bridge.lowering.payload import ROOM, instances_of, least_data, least_state, may_push
from orkestra_bridge.lowering.poll_limits import waiting_events
from orkestra_bridge.lowering.regions import Leaf, Part, Series, inside_of, task_ids
from orkestra_bridge.naming import StateNames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from orkestra_bridge.ir.model import Task, Workflow
    from orkestra_bridge.lowering.regions import Region
    from orkestra_bridge.lowering.scope import Plan

    Body = Callable[[Plan, Region], Machine]

AWS = Weight(DEFINITION_LIMIT, HISTORY_LIMIT, ROOM)
"""What AWS allows of one state machine."""
_DATA_OF_PART = 0.4
"""The share of the ledger's room that is for the tasks of one part, if all do not fit; as much is for those around it."""
FILLED = {TABLE: 160, CLUSTER: 300, DEFINITION: 300, SUBNETS: 500, SECURITY_GROUPS: 200}
"""Placeholders, and the most bytes of their values, such as the name of a table that CloudFormation made."""
_FUNCTION_ARN = 140
_REFERENCE = 300
_ARN = 170
_SHARES = (0.85, 0.7, 0.55, 0.4, 0.25, 0.12, 0.06)
"""Of the limits, tried one after the other: weights are estimates, what came of them is measured."""
_FEWEST = 40
"""Instances for which there has to be room where only the run knows how many there are."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A state machine with what it takes of AWS's limits; ``name`` is empty for the DAG's own.

    ``children`` has the most events in the history of one iteration of each distributed Map, by the Map's name.
    """

    name: str
    machine: Machine
    definition: dict[str, Any]
    weight: Weight
    children: Mapping[str, int]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """The DAG's own state machine, those of its parts, and the plan and nesting they were made with."""

    plan: Plan
    region: Region
    main: Measured
    parts: tuple[Measured, ...] = ()

    @property
    def all(self) -> tuple[Measured, ...]:
        """All state machines, the DAG's own first."""
        return (self.main, *self.parts)

    def heaviest(self, limit: Weight) -> float:
        """Return how much of the limit the machine takes that takes most of it; more than 1 is too much."""
        return max(shares(each.weight, limit) for each in self.all)


def within_limits(plan: Plan, region: Region, body: Body, limit: Weight = AWS) -> Machines:
    """Return the machines of a nesting; some are beyond the limit if no cut brings them below it.

    ``body`` makes the DAG's own state machine.
    """
    scale = _scale(plan)
    whole = _machines(plan, region, body, scale)
    if whole.heaviest(limit) <= 1:
        return whole
    nodes = plan.joins.order.names
    plan = replace(plan, archives=_data(plan, nodes) > limit.data and any(map(may_push, plan.workflow.tasks)))
    weights = {name: _weight(plan, name, scale) for name in nodes}
    hurried = replace(plan, weigh=partial(_check, scale, limit))
    tried: list[tuple[Region, Machines | None]] = [(region, whole)]
    for share in _SHARES:
        data = int(limit.data * min(share, _DATA_OF_PART)) if plan.archives else limit.data
        room = replace(limit.times(share), data=data)
        parted = cut(region, weights.__getitem__, room, partial(_left, plan))
        machines = _unless_too_heavy(hurried, parted, body, scale)
        if machines and machines.heaviest(limit) <= 1:
            return machines
        tried.append((parted, machines))
    found = [done or _machines(_fresh(plan, parted), parted, body, scale) for parted, done in tried]
    return min(found, key=lambda machines: machines.heaviest(limit))


class _TooHeavyError(Exception):
    """A part is beyond the limit, so that others need not be lowered."""


def _unless_too_heavy(plan: Plan, parted: Region, body: Body, scale: _Scale) -> Machines | None:
    try:
        return _machines(_fresh(plan, parted), parted, body, scale)
    except _TooHeavyError:
        return None


def _check(scale: _Scale, limit: Weight, machine: Machine) -> None:
    """Raise _TooHeavyError if a part is beyond the limit, whatever it has to remember."""
    if scale.events(machine) > limit.events or definition_bytes(to_asl(machine), scale.filled) > limit.size:
        raise _TooHeavyError


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """What all machines of a DAG are weighed with.

    Attributes:
        filled: The most bytes of what takes the place of each placeholder but those of parts.
        instances: How many iterations are counted of the Map state with a name.
        waits: The events that a task writes to wait, besides those of its retriers, by the name of its state.
    """

    filled: Mapping[str, int]
    instances: Callable[[str], int]
    waits: Mapping[str, int]

    def events(self, machine: Machine) -> int:
        """Return the most events in the history of an execution."""
        return most_events(machine, self.instances) + self.waiting(machine)

    def waiting(self, machine: Machine) -> int:
        names = set(state_names(machine)) if self.waits else set()
        return sum(events for name, events in self.waits.items() if name in names)


def _scale(plan: Plan) -> _Scale:
    functions = dict.fromkeys(function_arns(plan.workflow), _FUNCTION_ARN)
    lengths: Mapping[str, int] = {
        f"{task.task_id}: map": task.expansion.length or _FEWEST
        for task in plan.groups.workflow.tasks
        if task.expansion
    }
    return _Scale(
        filled=dict.fromkeys(placeholders(plan), _REFERENCE) | FILLED | functions,
        instances=lambda name: lengths.get(name, _FEWEST),
        waits={
            plan.names.of_task[task.task_id]: waiting_events(plan.workflow, task)
            for task in plan.workflow.tasks
            if task.asks_to_wait
        },
    )


def _fresh(plan: Plan, region: Region) -> Plan:
    """Return the plan for another nesting, with no name taken yet."""
    nodes = plan.groups.workflow
    beside: dict[str, Workflow] = {}
    for part in (region, *(part.region for part in parts_of(region))):
        own = set(own_tasks(part))
        together = replace(nodes, tasks=tuple(task for task in nodes.tasks if task.task_id in own))
        beside |= dict.fromkeys(own, together)
    names = StateNames(task.task_id for task in plan.workflow.tasks)
    return replace(plan, names=names, beside=beside, parts={}, archived={})


def _machines(plan: Plan, region: Region, body: Body, scale: _Scale) -> Machines:
    machine = body(plan, region)
    data = _ledgers(plan, region)
    filled = {**scale.filled, **{part_arn(number): _ARN for number in plan.parts}}
    scale = replace(scale, filled=filled)
    main = _measured("", machine, scale, data[0])
    parts = [
        _measured(part_name(number), plan.parts[number], scale, data[number]) for number in sorted(plan.parts)
    ]
    return Machines(plan=plan, region=region, main=main, parts=tuple(parts))


def _ledgers(plan: Plan, region: Region) -> dict[int, int]:
    """Return the bytes that the ledger has at most in each part by its number, and in the DAG's own machine by 0.

    Branches do not know what others beside them leave; but where there are joins, reports may tell them all of it.
    """
    most: dict[int, int] = {}

    def added(number: int, inner: Region, before: int) -> int:
        match inner:
            case Leaf():
                new = _data(plan, [inner.task_id])
            case Part():
                added(inner.number, inner.region, before)
                new = _left(plan, task_ids(inner))
            case _:
                new = 0
                for each in inside_of(inner):
                    known = isinstance(inner, Series) or plan.joins.waiting
                    new += added(number, each, before + new if known else before)
        most[number] = max(most.get(number, 0), before + new)
        return new

    added(0, region, 0)
    return most


def _data(plan: Plan, nodes: Iterable[str]) -> int:
    tasks = (plan.workflow.task(task_id) for task_id in plan.ledger_ids(nodes))
    return sum(_of_task(plan, task) for task in tasks)


def _of_task(plan: Plan, task: Task) -> int:
    """Return the bytes that the ledger has of a task: instances that are executions of their own leave less."""
    count = instances_of(plan.workflow, task)
    if count and (task.task_id in plan.distributed or task.mapped_group in plan.distributed):
        return len(task.task_id.encode()) + count * instance_bytes(task, distributed=True)
    return least_data(plan.workflow, task)


def _left(plan: Plan, nodes: tuple[str, ...]) -> int:
    """Return the bytes that a part with these tasks and mapped groups leaves in the ledger."""
    if not plan.archives:
        return _data(plan, nodes)
    kept = looked_at_later(plan, plan.ledger_ids(nodes))
    return sum(least_state(plan.workflow, plan.workflow.task(task_id)) for task_id in kept)


def _measured(name: str, machine: Machine, scale: _Scale, data: int) -> Measured:
    definition = to_asl(machine)
    weight = Weight(definition_bytes(definition, scale.filled), scale.events(machine), data)
    children = {each: scale.events(inner) for each, inner in child_machines(machine)}
    return Measured(name=name, machine=machine, definition=definition, weight=weight, children=children)


def _weight(plan: Plan, name: str, scale: _Scale) -> Weight:
    """Return what the states of a task or mapped group weigh, wherever they stand."""
    states = states_of_task(plan, name)
    machine = Machine(start_at=name, states=states)
    events = states_events(states, scale.instances) + scale.waiting(machine)
    data = _data(plan, [name]) if plan.archives else 0
    return Weight(definition_bytes(to_asl(machine), scale.filled), events, data)
