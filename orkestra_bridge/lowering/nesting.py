"""Regions -> states: a Series is a chain, a Parallel a Parallel state, a Leaf whatever its family makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orkestra_bridge.asl.jsonata import expression
from orkestra_bridge.asl.model import Machine, ParallelState, State
from orkestra_bridge.lowering.container import first_name, lower_in_container
from orkestra_bridge.lowering.empty import lower_empty
from orkestra_bridge.lowering.join import lower_reports, lower_waiting, waiting_name
from orkestra_bridge.lowering.map import (
    INDEX_VARIABLE,
    end_of_instance,
    entry_name,
    execution_of,
    instance_scope,
    lower_mapped,
    start_of_instance,
)
from orkestra_bridge.lowering.own_image import lower_own_image
from orkestra_bridge.lowering.part import IN_PART, lower_part
from orkestra_bridge.lowering.polling import lower_polling
from orkestra_bridge.lowering.regions import (
    Leaf,
    Parallel,
    Part,
    Region,
    Series,
    inside_of,
    task_ids,
)
from orkestra_bridge.lowering.scope import INPUT, Plan, Scope
from orkestra_bridge.lowering.task import lower_task
from orkestra_bridge.operators.images import runs_image
from orkestra_bridge.operators.registry import Runs

if TYPE_CHECKING:
    from collections.abc import Callable

    from orkestra_bridge.ir.model import Task

    Lowering = Callable[[Plan, Task, Scope, str | None], dict[str, State]]
    LoweringAt = Callable[[Plan, str, Task, Scope, str | None], dict[str, State]]

_NAMES_SHOWN = 3


def lower_region(plan: Plan, region: Region, scope: Scope, following: str | None) -> Machine:
    """Return the states of a region, continuing with ``following`` (None: the end of a branch)."""
    items = region.items if isinstance(region, Series) else (region,)
    names = [_entry(plan, item) for item in items]
    states: dict[str, State] = {}
    for name, item, onward in zip(names, items, [*names[1:], following], strict=True):
        states |= _lower_item(plan, name, item, scope, onward)
        scope = scope.after_first()
    return Machine(start_at=names[0], states=states)


def states_of_task(plan: Plan, task_id: str) -> dict[str, State]:
    """Return the states of a task or mapped group as they are in the middle of a Series; good for measuring."""
    leaf = Leaf(task_id)
    return _lower_item(plan, _entry(plan, leaf), leaf, Scope(ledger=INPUT, execution=IN_PART), task_id)


def _entry(plan: Plan, item: Region) -> str:
    if isinstance(item, Leaf):
        if item.task_id in plan.joins.waiting:
            return plan.names.fresh(waiting_name(item.task_id))
        return _entry_of_task(plan, plan.node(item.task_id))
    if isinstance(item, Part):
        return plan.names.fresh(f"Part {item.number}: {_head(item)}")
    heads = [_head(branch) for branch in item.branches] if isinstance(item, Parallel) else []
    shown = ", ".join(heads[:_NAMES_SHOWN])
    more = f" and {len(heads) - _NAMES_SHOWN} more" if len(heads) > _NAMES_SHOWN else ""
    return plan.names.fresh(f"Parallel: {shown}{more}")


def _entry_of_task(plan: Plan, task: Task) -> str:
    return entry_name(plan, task) if task.expansion else _first_of(plan, task)


def _first_of(plan: Plan, task: Task) -> str:
    return first_name(plan, task) if task.container else plan.names.of_task[task.task_id]


def _head(region: Region) -> str:
    while not isinstance(region, Leaf):
        region = inside_of(region)[0]
    return region.task_id


def _lower_item(plan: Plan, name: str, item: Region, scope: Scope, following: str | None) -> dict[str, State]:
    if isinstance(item, Leaf):
        return _lower_leaf(plan, name, plan.node(item.task_id), scope, following)
    if isinstance(item, Part):
        return {name: lower_part(plan, item, scope, following, lower_region)}
    assert isinstance(item, Parallel), "a Series never holds a Series"
    inner = frozenset(name for branch in item.branches for name in task_ids(branch))
    return {
        name: ParallelState(
            branches=tuple(_branch(plan, branch, inner, scope) for branch in item.branches),
            arguments=None if scope.ledger == INPUT else expression(scope.ledger),
            output=scope.gathered(frozenset(plan.ledger_ids(inner)), last=following is None),
            next=following,
        )
    }


def _lower_leaf(plan: Plan, name: str, task: Task, scope: Scope, following: str | None) -> dict[str, State]:
    """Return the states of a task, with those that wait for reports before it and those that send its own after it."""
    before: dict[str, State] = {}
    if task.task_id in plan.joins.waiting:
        entry = _entry_of_task(plan, task)
        before = lower_waiting(plan, task, scope, name, entry)
        name, scope = entry, scope.after_first()
    after = lower_reports(plan, task, scope.after_first(), following)
    onward = after.start_at if after else following
    return before | _lower_task(plan, name, task, scope, onward) | (after.states if after else {})


def _lower_task(plan: Plan, name: str, task: Task, scope: Scope, following: str | None) -> dict[str, State]:
    if task.task_id in plan.groups.members:
        return lower_mapped(
            plan, name, task, scope, following=following, instance=_instance(plan, task.task_id, scope)
        )
    if task.expansion:
        first, end = _first_of(plan, task), end_of_instance(plan, task.task_id)
        own, after = instance_scope(plan, task.task_id, scope), next(iter(end), None)
        lowered = (
            _contained(task)(plan, first, task, own, after)
            if task.container
            else _lowering(task)(plan, task, own, after)
        )
        instance = Machine(start_at=first, states=lowered | end)
        return lower_mapped(plan, name, task, scope, following=following, instance=instance)
    if task.container:
        return _contained(task)(plan, name, task, scope, following)
    # what a task of the group skips is looked up by map index, which is left to the function
    empty = plan.families[task.task_id].runs is Runs.PASS and not (
        scope.map_index and plan.skippers[task.task_id]
    )
    return (lower_empty if empty else _lowering(task))(plan, task, scope, following)


def _contained(task: Task) -> LoweringAt:
    return lower_own_image if runs_image(task) else lower_in_container


def _lowering(task: Task) -> Lowering:
    return lower_polling if task.asks_to_wait else lower_task


def _instance(plan: Plan, group: str, around: Scope) -> Machine:
    """Return the states of one instance of a mapped group: the nesting of its tasks."""
    members = plan.groups.members[group]
    scope = Scope(
        ledger=INPUT,
        returns=tuple(task.task_id for task in members),
        map_index=INDEX_VARIABLE,
        later_index=INDEX_VARIABLE,
        execution=execution_of(plan, group, around),
    )
    end = end_of_instance(plan, group)
    own = replace(plan, joins=plan.members.joins[group])
    body = lower_region(own, plan.inside[group], scope, next(iter(end), None))
    name = plan.names.fresh(f"{group}: instance")
    return Machine(start_at=name, states={name: start_of_instance(body.start_at), **body.states, **end})


def _branch(plan: Plan, branch: Region, inner: frozenset[str], around: Scope) -> Machine:
    own = task_ids(branch)
    imported = plan.joins.imported(own, inner)
    unsure = plan.joins.unsure(own) & frozenset(imported) if around.map_index else frozenset()
    return lower_region(plan, branch, around.of_branch(plan.ledger_ids((*own, *imported)), unsure), None)
