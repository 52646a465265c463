"""Mapped task groups: each counts as one task where the graph is nested, and becomes a Map around its own nesting.

That needs a group to be convex: no way may lead out of it and back in again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, final

from orkestra_bridge.ir.model import Task
from orkestra_bridge.lowering.rules import ADDED_WAIT, GROUP_RULE
from orkestra_bridge.operators.rules import MAPPED_TASK
from orkestra_bridge.runtime.trigger_rules import ALIASES, EARLY_STATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import MappedGroup, Workflow
    from orkestra_bridge.lowering.regions import Decomposition

OPERATOR = "MappedTaskGroup"
_VERSION = re.compile(r"\d+")
_BY_INDEX = (3, 3)
"""The Airflow since which rules that fire early look at the upstream instances with the same map index alone."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """A workflow with each mapped task group as one task.

    Attributes:
        workflow: The tasks outside of mapped groups, and one for each group, by the id of the group.
        members: The tasks of each group, in topological order, by the id of the group.
        place: Where each task of the original workflow is: in the group with this id, or by itself.
    """

    workflow: Workflow
    members: Mapping[str, tuple[Task, ...]]
    place: Mapping[str, str]


def grouped(workflow: Workflow) -> Grouped:
    """Return the workflow with its mapped groups as tasks.

    Raises:
        CycleError: If a group is not convex.
    """
    groups = {group.group_id: group for group in workflow.mapped_groups}
    place = {task.task_id: task.mapped_group or task.task_id for task in workflow.tasks}
    if not groups:
        return Grouped(workflow=workflow, members={}, place=place)
    members = {name: tuple(task for task in workflow.tasks if task.mapped_group == name) for name in groups}
    nodes = {name: _node(group, members[name], place) for name, group in groups.items() if members[name]}
    for task in workflow.tasks:
        if task.mapped_group is None:
            nodes[task.task_id] = replace(task, upstream=_places(task.upstream, place))
    return Grouped(
        workflow=replace(workflow, tasks=tuple(nodes[name] for name in _in_order(nodes, place))),
        members=members,
        place=place,
    )


def _node(group: MappedGroup, members: tuple[Task, ...], place: Mapping[str, str]) -> Task:
    outside = {name for task in members for name in task.upstream if place[name] != group.group_id}
    limits = [task.max_active for task in members if task.max_active]
    return Task(
        task_id=group.group_id,
        operator=OPERATOR,
        bases=(),
        span=members[0].span,
        upstream=_places(tuple(outside), place),
        mapped=True,
        expansion=group.expansion,
        max_active=min(limits, default=None),
    )


def _places(upstream: tuple[str, ...], place: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted({place[name] for name in upstream}))


def _in_order(nodes: Mapping[str, Task], place: Mapping[str, str]) -> list[str]:
    """Return the names in topological order, ties in the order of the tasks."""
    rank = {name: i for i, name in enumerate(dict.fromkeys(place.values()))}
    sorter = TopologicalSorter({name: node.upstream for name, node in nodes.items()})
    sorter.prepare()
    order: list[str] = []
    ready = list(sorter.get_ready())
    while ready:
        ready.sort(key=rank.__getitem__)
        name = ready.pop(0)
        order.append(name)
        sorter.done(name)
        ready += sorter.get_ready()
    return order


def way_out_and_in(workflow: Workflow) -> list[str]:
    """Return the names of a way that leads out of a mapped group and back into it, nothing if there is none."""
    try:
        grouped(workflow)
    except CycleError as cycle:
        return [str(name) for name in cycle.args[1]]
    return []


def refused_groups(workflow: Workflow) -> tuple[Finding, ...]:
    """Return a finding for each mapped group that cannot become a Map."""
    return tuple(
        MAPPED_TASK.at(
            _first(workflow, group).span,
            f"the mapped task group {group.group_id} is not translated: {why}",
            remedy,
            dag_id=workflow.dag_id,
            task_id=_first(workflow, group).task_id,
            attribute="expand",
        )
        for group in workflow.mapped_groups
        for why, remedy in _obstacles(workflow, group)
    )


def _first(workflow: Workflow, group: MappedGroup) -> Task:
    inside = f"{group.group_id}."
    found = (task for task in workflow.tasks if task.mapped_group == group.group_id)
    return next(found, None) or next(task for task in workflow.tasks if task.task_id.startswith(inside))


_PAIRED_WRONGLY = (
    "Airflow 2.11 and 3.3 run it, but instance i gets the i-th argument of both groups, not one of each pair"
)


def _obstacles(workflow: Workflow, group: MappedGroup) -> Iterator[tuple[str, str]]:
    members = [task for task in workflow.tasks if task.mapped_group == group.group_id]
    if group.parent is not None:
        yield (
            f"it is inside of another one, {group.parent}; {_PAIRED_WRONGLY}",
            "expand one group over the pairs that are meant, with expand_kwargs for instance",
        )
    if any(task.expansion for task in members):
        yield "a task in it is expanded once more", "expand the group over the product of both arguments"
    way = way_out_and_in(workflow)
    if group.group_id in way:
        yield (
            f"a way leads out of it and back in: {' -> '.join(reversed(way))}",
            "move the tasks on that way into the group, or split the group",
        )


def certain_sources(workflow: Workflow, group: str) -> frozenset[str]:
    """Return the tasks over which a mapped group is expanded that have succeeded if there is an instance of it.

    Of a mapped task, some instances may have failed, and the group has those of the others.
    """
    over = next(each.expansion.over for each in workflow.mapped_groups if each.group_id == group)
    return frozenset(name for name in over if not workflow.task(name).mapped)


def starts_at_once(task: Task, sources: frozenset[str]) -> bool:
    """Return True if the rule of a task in a mapped group has a match among these before any instance runs."""
    return "success" in EARLY_STATES.get(task.trigger_rule, ()) and not sources.isdisjoint(task.upstream)


def check_groups(workflow: Workflow, of: Grouped, nested: Mapping[str, Decomposition]) -> tuple[Finding, ...]:
    """Return what the machine does differently for the tasks of mapped groups."""
    return tuple(
        finding
        for name, members in of.members.items()
        for finding in _group(workflow, name, members, nested[name])
    )


def _group(
    workflow: Workflow, name: str, members: tuple[Task, ...], decomposition: Decomposition
) -> Iterator[Finding]:
    own = {task.task_id for task in members}
    outside = {each for task in members for each in task.upstream} - own
    nested = {wait.task_id: wait.waits_for for wait in decomposition.waits}
    sources = certain_sources(workflow, name)
    above: dict[str, set[str]] = {}
    for task in members:
        if ALIASES.get(task.trigger_rule, task.trigger_rule) == "always":
            above[task.task_id] = set()
        elif starts_at_once(task, sources):
            above[task.task_id] = {*sources}
        else:
            above[task.task_id] = set(task.upstream).union(*(above.get(each, ()) for each in task.upstream))
        for waits, why in (
            (sorted(outside - above[task.task_id]), f"the instances of mapped group {name} start together"),
            (
                nested.get(task.task_id, ()),
                f"chains and Parallel states cannot express mapped group {name} exactly",
            ),
        ):
            if waits:
                yield ADDED_WAIT.at(
                    task.span,
                    f"also waits for {', '.join(waits)}: {why}",
                    "nothing if the time does not matter; else take the task out of the group",
                    dag_id=workflow.dag_id,
                    task_id=task.task_id,
                )
        if not starts_at_once(task, sources):
            yield from _rule(workflow, name, task)


def _rule(workflow: Workflow, name: str, task: Task) -> Iterator[Finding]:
    """Yield what Airflow makes of the rule of a task in a mapped group that is not made of it here."""
    length = next(each.expansion.length for each in workflow.mapped_groups if each.group_id == name)
    why = _difference(task.trigger_rule, workflow.airflow_version, known=length is not None)
    if why:
        yield GROUP_RULE.at(
            task.span,
            f"{task.trigger_rule} looks at the instances with the same map index; {why}",
            "nothing if one instance has nothing to do with the others, else another trigger rule",
            dag_id=workflow.dag_id,
            task_id=task.task_id,
            attribute="trigger_rule",
        )


def _difference(rule: str, airflow_version: str, *, known: bool) -> str:
    """Return what else Airflow looks at, nothing if it does the same (`_get_relevant_upstream_map_indexes`).

    A task is one instance until it is expanded, which it is at the start of the run if the length is ``known``.
    """
    rule, version = ALIASES.get(rule, rule), tuple(map(int, _VERSION.findall(airflow_version)[:2]))
    if rule == "none_failed_min_one_success":
        if version[0] < 3:
            return "Airflow 2 looks at nothing, or too early"
        whole = (
            "before it expands the task, Airflow 3 looks at all instances together, and may end it as a whole"
        )
        return "" if known else whole
    if rule not in EARLY_STATES:
        return ""
    if version < _BY_INDEX:
        return f"Airflow {airflow_version} looks at all instances together"
    never = "where none of all instances matches, Airflow ends the task as a whole, without expanding it"
    return "" if known else never
