"""Makes a plan smaller for as long as something interesting remains true of it."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from dag_plan import DagPlan, TaskPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    FirstOf = Callable[[Sequence[DagPlan]], DagPlan | None]

_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(TaskPlan)}
_SIMPLER = (
    "outcome",
    "rule",
    "pulls",
    "pushes",
    "retries",
    "pushes_result",
    "multiple_outputs",
    "passes_on",
    "taskflow",
)


def minimise(plan: DagPlan, first_of: FirstOf, *, rounds: int = 40) -> DagPlan:
    """Return a plan from which nothing can be taken away.

    Args:
        plan: Where to begin.
        first_of: Returns the first of the given plans that is still interesting, or None.
        rounds: How many times to go on at most.
    """
    for _ in range(rounds):
        smaller = first_of(list(reductions(plan)))
        if smaller is None:
            return plan
        plan = replace(smaller, dag_id=plan.dag_id)
    return plan


def reductions(plan: DagPlan) -> Iterator[DagPlan]:
    """Return every plan that is one step smaller, each with a dag_id of its own; the greatest steps come first."""
    steps = (*_without_tasks(plan), *_without_groups(plan), *_simpler_tasks(plan), *_without_edges(plan))
    for number, smaller in enumerate(steps):
        if smaller.tasks:
            yield replace(smaller, dag_id=f"{plan.dag_id}_{number}")


def _without_tasks(plan: DagPlan) -> Iterator[DagPlan]:
    for task in reversed(plan.tasks):
        yield drop_task(plan, task.task_id)


def drop_task(plan: DagPlan, gone: str) -> DagPlan:
    """Return the plan without a task, its edges, and whatever refers to it."""
    tasks = tuple(_forgetting(task, gone) for task in plan.tasks if task.task_id != gone)
    nodes = {task.task_id for task in tasks} | set(DagPlan(dag_id="", tasks=tasks).groups)
    edges = tuple(edge for edge in plan.edges if set(edge) <= nodes)
    return _choosing_what_exists(replace(plan, tasks=tasks, edges=edges))


def _forgetting(task: TaskPlan, gone: str) -> TaskPlan:
    return replace(
        task,
        pulls=tuple(pull for pull in task.pulls if gone not in pull.task_ids),
        arguments=tuple(argument for argument in task.arguments if argument.task_id != gone),
    )


def _choosing_what_exists(plan: DagPlan) -> DagPlan:
    """Return the plan with branches that choose nothing that is gone."""
    nodes = {task.task_id for task in plan.tasks} | set(plan.groups)
    for task in plan.tasks:
        if isinstance(task.chooses, tuple):
            plan = plan.with_task(
                replace(task, chooses=tuple(name for name in task.chooses if name in nodes))
            )
        elif task.chooses not in nodes:
            plan = plan.with_task(replace(task, chooses=None))
    return plan


def _without_edges(plan: DagPlan) -> Iterator[DagPlan]:
    for gone in plan.edges:
        yield replace(plan, edges=tuple(edge for edge in plan.edges if edge != gone))


def _without_groups(plan: DagPlan) -> Iterator[DagPlan]:
    """Return the plan with the same tasks and edges outside of groups."""
    if not plan.groups:
        return
    short = {task.task_id: task.label for task in plan.tasks}
    tasks = tuple(_renamed(plan, task, short) for task in plan.tasks)
    edges = tuple((short[before], short[task]) for task, above in plan.upstream.items() for before in above)
    yield replace(plan, tasks=tasks, edges=edges)


def _renamed(plan: DagPlan, task: TaskPlan, short: dict[str, str]) -> TaskPlan:
    chosen: tuple[str, ...] | str | None = task.chooses
    if chosen is not None:
        names = (chosen,) if isinstance(chosen, str) else chosen
        chosen = tuple(short[one] for name in names for one in (plan.members(name) or (name,)))
    return replace(
        task,
        task_id=short[task.task_id],
        chooses=chosen,
        pulls=tuple(
            replace(pull, task_ids=tuple(short[name] for name in pull.task_ids)) for pull in task.pulls
        ),
        arguments=tuple(replace(argument, task_id=short[argument.task_id]) for argument in task.arguments),
    )


def _simpler_tasks(plan: DagPlan) -> Iterator[DagPlan]:
    for task in plan.tasks:
        if task.kind != "empty":
            empty = TaskPlan(task_id=task.task_id, kind="empty", rule=task.rule, role=task.role)
            yield _with_edges_of_arguments(plan, task).with_task(empty)
        for name in _SIMPLER:
            if getattr(task, name) != _DEFAULTS[name]:
                yield from _simplified(plan, task, name)
        if task.arguments:
            yield _with_edges_of_arguments(plan, task).with_task(replace(task, arguments=()))
        if task.role != "work":
            yield plan.with_task(replace(task, role="work", rule="all_success", fails_run=False))
        if task.kind != "bash" and task.value not in (None, 1):
            yield plan.with_task(replace(task, value=1))


def _simplified(plan: DagPlan, task: TaskPlan, name: str) -> Iterator[DagPlan]:
    """Return the plan with one field at its default, unless another field needs it as it is."""
    changes: dict[str, Any] = {name: _DEFAULTS[name]}
    if name == "taskflow" and (task.kind == "taskflow" or task.arguments):
        return
    if name == "rule" and task.role == "teardown":
        return
    if name == "pulls" and task.passes_on and not task.arguments:
        changes["passes_on"] = False
    yield plan.with_task(replace(task, **changes))


def _with_edges_of_arguments(plan: DagPlan, task: TaskPlan) -> DagPlan:
    edges = tuple((argument.task_id, task.task_id) for argument in task.arguments)
    return replace(plan, edges=(*edges, *(edge for edge in plan.edges if edge not in edges)))
