"""Tasks that start before all of their upstream tasks have finished, and the order that is left.

Airflow starts a task with `one_success`, `one_failed` or `one_done` at the first upstream task that matches, and one with
`always` at once (`airflow/ti_deps/deps/trigger_rule_dep.py`). Where a task waits here for its whole upstream after all,
because the outcome could not be Airflow's otherwise, it is said why.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, final

from orkestra_bridge.ir.graph import bits, mask_of, order_of_masks, task_order
from orkestra_bridge.lowering.groups import certain_sources, starts_at_once
from orkestra_bridge.lowering.order import scopes_in, setup_graph
from orkestra_bridge.operators.registry import BRANCH, SHORT_CIRCUIT
from orkestra_bridge.runtime.trigger_rules import ALIASES, EARLY_STATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.ir.graph import Order
    from orkestra_bridge.ir.model import Task, Workflow
    from orkestra_bridge.lowering.groups import Grouped
    from orkestra_bridge.operators.registry import Family
    from orkestra_bridge.options import Joins


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Starts:
    """When tasks start.

    Attributes:
        order: What is certain to have finished before a task starts.
        early: Tasks with a rule that fires early, and the states of an upstream task at which they start; none for
            `always`, which waits for nothing.
        late: Tasks with such a rule that wait for their whole upstream, and why.
        deciders: For each early task, the tasks further up that can skip it although something between them and it has
            not finished.
        skippers: Tasks that can skip others.
    """

    order: Order
    early: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    late: Mapping[str, str] = field(default_factory=dict)
    deciders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    skippers: frozenset[str] = frozenset()


def starts_of(
    workflow: Workflow, groups: Grouped, families: Mapping[str, Family], joins: Joins = "token"
) -> Starts:
    """Return when the tasks and mapped groups of a workflow start; without token joins only `always` starts early."""
    return _Analysis(workflow, groups, families, joins).result()


def starts_inside(
    workflow: Workflow, groups: Grouped, families: Mapping[str, Family], joins: Joins
) -> dict[str, Starts]:
    """Return when the tasks of each mapped group start in an instance of it, by the group's id.

    All that is outside of the group has finished by then. An instance of a task looks at those with its own map index.
    """
    found = {}
    for name, members in groups.members.items():
        inside = frozenset(task.task_id for task in members)
        alone = tuple(
            replace(task, upstream=tuple(each for each in task.upstream if each in inside), mapped=False)
            for task in members
        )
        around = replace(
            groups,
            workflow=replace(groups.workflow, tasks=alone),
            members={},
            place={**groups.place, **{each: each for each in inside}},
        )
        sources = certain_sources(workflow, name)
        outside = _Outside(
            decided=frozenset(task.task_id for task in members if starts_at_once(task, sources)),
            unsure=frozenset(
                task.task_id for task in members if not (inside | sources).issuperset(task.upstream)
            ),
        )
        found[name] = _Analysis(workflow, around, families, joins, outside).result()
    return found


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Outside:
    """What tasks outside of a mapped group mean for those in it.

    Attributes:
        decided: The tasks whose rule has a match there.
        unsure: The tasks that have upstream tasks there which may match or not.
    """

    decided: frozenset[str]
    unsure: frozenset[str]


@final
class _Analysis:
    """Takes tasks back from those that start early until the outcome is Airflow's for sure.

    ``outside`` is given for the order in an instance of a mapped group.
    """

    def __init__(
        self,
        whole: Workflow,
        groups: Grouped,
        families: Mapping[str, Family],
        joins: Joins,
        outside: _Outside | None = None,
    ) -> None:
        self._workflow = workflow = groups.workflow
        self._joins = joins
        self._decided = outside.decided if outside else frozenset()
        self._unsure = outside.unsure if outside else frozenset()
        self._major = int(workflow.airflow_version.split(".")[0])
        self._tasks = {task.task_id: task for task in workflow.tasks}
        self._graph = setup_graph(whole.tasks)
        self._scopes = scopes_in(whole.tasks, groups.place)
        self._full = task_order(workflow.tasks)
        self._index = {name: i for i, name in enumerate(self._full.names)}
        # instances skip nothing in Airflow 3 (`runtime/mapping.py`)
        skipping = outside is None or self._major < 3
        self._skips = [skipping and families[name].skips for name in self._full.names]
        self._far = [skipping and _skips_far(families[task.task_id], task) for task in workflow.tasks]

    def result(self) -> Starts:
        rules = {name: self._early_states(task) for name, task in self._tasks.items()}
        candidates = {name: states for name, states in rules.items() if states is not None}
        late = {name: why for name in candidates if (why := self._obstacle(self._tasks[name]))}
        while True:
            early = {name: states for name, states in candidates.items() if name not in late}
            order = self._order(early)
            taken_back = {name for name in early if self._is_overtaken(name, early, order)}
            if not taken_back:
                break
            late |= dict.fromkeys(sorted(taken_back), "a task above may skip tasks below this one meanwhile")
        deciders = {name: self._deciders(name, order) for name in early if early[name]}
        skippers = frozenset(name for name, skips in zip(order.names, self._skips, strict=True) if skips)
        return Starts(order=order, early=early, late=late, deciders=deciders, skippers=skippers)

    def _obstacle(self, task: Task) -> str | None:
        """Return why a task cannot start early, whatever others do."""
        waits = bool(self._early_states(task))
        if waits and (self._joins == "barrier" or task.task_id in self._unsure):
            barrier = self._joins == "barrier"
            return (
                "that takes a join with tokens"
                if barrier
                else "it also looks at tasks outside of its mapped group"
            )
        if task.mapped or any(self._tasks[name].mapped for name in task.upstream):
            return "mapped tasks finish as a whole"
        by_rule = waits or task.task_id in self._decided
        if task.is_teardown or (by_rule and self._graph.needed_by(task.task_id)):
            return "it takes part in a setup and teardown"
        above = self._full.above[self._index[task.task_id]]
        if self._graph.teardowns and any(self._far[i] for i in bits(above)):
            return "a task above may skip it, but not a teardown below it"
        if self._major < 3 and any(self._skips[i] for i in bits(above)):
            return "Airflow 2 lets a task above skip it even after it has started"
        return None

    def _early_states(self, task: Task) -> tuple[str, ...] | None:
        """Return the states that start a task early; None if it waits for its upstream anyway."""
        rule = ALIASES.get(task.trigger_rule, task.trigger_rule)
        if task.upstream and (rule == "always" or task.task_id in self._decided):
            return ()
        several = len(task.upstream) + (task.task_id in self._unsure) > 1
        return EARLY_STATES.get(rule) if several else None

    def _order(self, early: Mapping[str, tuple[str, ...]]) -> Order:
        sure: list[int] = []
        parents: list[int] = []
        for task in self._workflow.tasks:
            before = mask_of(self._index[name] for name in self._before(task, early))
            ways = [sure[parent] | 1 << parent for parent in bits(before)]
            if task.task_id in early:
                common = reduce(and_, ways) if ways else 0
                before = common & ~mask_of(self._index[name] for name in task.upstream)
                sure.append(before)
            else:
                sure.append(reduce(or_, ways, 0))
            parents.append(before)
        return order_of_masks(self._full.names, parents)

    def _before(self, task: Task, early: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        if task.task_id in early:
            return task.upstream if early[task.task_id] else ()
        return (*task.upstream, *(name for name in self._scopes[task.task_id] if name in self._tasks))

    def _deciders(self, name: str, order: Order) -> tuple[str, ...]:
        i = self._index[name]
        direct = {self._index[parent] for parent in self._tasks[name].upstream}
        unsure = self._full.above[i] & ~order.above[i]
        return tuple(self._full.names[j] for j in bits(unsure) if self._far[j] and j not in direct)

    def _is_overtaken(self, name: str, early: Mapping[str, tuple[str, ...]], order: Order) -> bool:
        """Return True if a task below could start before one above this task decides to skip it.

        Only those that skip all that is below them can do that, and only tasks that start early ask them again.
        """
        i = self._index[name]
        return any(
            not order.above[k] >> j & 1
            for j in bits(self._full.above[i])
            if self._far[j]
            for k in bits(self._full.below[i])
            if self._full.names[k] not in early
        )


def _skips_far(family: Family, task: Task) -> bool:
    """Return True if the task may skip more than its direct downstream tasks."""
    only_direct = family is BRANCH or (family is SHORT_CIRCUIT and not task.ignore_downstream_trigger_rules)
    return family.skips and not only_direct
