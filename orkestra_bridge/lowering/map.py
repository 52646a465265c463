"""A mapped task -> an inline Map whose iterations are its task instances.

    v: expand   asks the function how many instances there are; left out where that is known already
    v: map      one iteration per instance, each with the state ``v`` that any other task would have

What the ledger holds for mapped tasks is said in `runtime/mapping.py`. Items are not copied into the state data: the
function finds an instance's item by its map index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.asl.jsonata import expression, lookup
from orkestra_bridge.asl.model import Catcher, Machine, MapState, State, TaskState
from orkestra_bridge.lowering.map_limits import AT_ONCE, room_for
from orkestra_bridge.lowering.scope import INPUT, Scope
from orkestra_bridge.lowering.task import (
    FUNCTION,
    LAMBDA_INVOKE,
    SERVICE_ERRORS,
    failed_entry,
    lower_task,
    payload,
)

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Task
    from orkestra_bridge.lowering.scope import Plan

_SELECTED_LEDGER = "$states.input.ledger"
_SELECTED_INDEX = "$states.input.index"


def lower_mapped(plan: Plan, name: str, task: Task, scope: Scope, following: str | None) -> dict[str, State]:
    """Return the states of a mapped task, the first of which is ``name``."""
    length = known_length(task)
    if length:
        return {name: _map(plan, task, scope, following, f"[0..{length - 1}]")}
    name_of_map = plan.names.fresh(_map_name(task))
    length_field = f"{lookup(scope.after_first().ledger, task.task_id)}.length"
    return {
        name: _expand(plan, task, scope, name_of_map),
        name_of_map: _map(
            plan, task, scope.after_first(), following, f"{length_field} > 0 ? [0..{length_field} - 1] : []"
        ),
    }


def entry_name(plan: Plan, task: Task) -> str:
    """Return the name of the first state of a mapped task."""
    return plan.names.fresh(_map_name(task) if known_length(task) else f"{task.task_id}: expand")


def known_length(task: Task) -> int:
    """Return how many instances a mapped task has, 0 if the run has to find out or there is nothing to run."""
    return task.expansion.length or 0 if task.expansion else 0


def _map_name(task: Task) -> str:
    return f"{task.task_id}: map"


def _expand(plan: Plan, task: Task, scope: Scope, following: str) -> TaskState:
    return TaskState(
        comment=f"Decides whether {task.task_id} runs, and how many instances of it",
        resource=LAMBDA_INVOKE,
        arguments={
            "FunctionName": FUNCTION,
            "Payload": {**payload(scope, task.task_id), "expand": {"limit": room_for(plan.workflow, task)}},
        },
        output=scope.output({task.task_id: "$states.result.Payload"}, last=False),
        next=following,
        retry=(SERVICE_ERRORS,),
        catch=(
            Catcher(
                errors=("States.ALL",),
                next=following,
                output=scope.output({task.task_id: failed_entry(scope)}, last=False),
            ),
        ),
    )


def _map(plan: Plan, task: Task, scope: Scope, following: str | None, items: str) -> MapState:
    name = plan.names.of_task[task.task_id]
    inside = Scope(
        ledger=_SELECTED_LEDGER,
        returns=(task.task_id,),
        map_index=_SELECTED_INDEX,
        later_index=f"{lookup(INPUT, task.task_id)}.map_index",
    )
    return MapState(
        comment=f"The task instances of {task.task_id} ({task.span.file}:{task.span.line})",
        items=expression(items),
        selector={"index": expression("$states.context.Map.Item.Index"), "ledger": expression(scope.ledger)},
        at_once=task.max_active if task.max_active and task.max_active < AT_ONCE else None,
        processor=Machine(start_at=name, states=lower_task(plan, task, inside, None)),
        output=scope.output({task.task_id: _gathered(task, scope)}, last=following is None),
        next=following,
    )


def _gathered(task: Task, scope: Scope) -> str:
    """Return JSONata for the entry: the instances, or what there is already of a task that was not expanded."""
    instances = f"{{'instances': [{lookup('$states.result', task.task_id)}]}}"
    if known_length(task):
        return instances
    entry = lookup(scope.ledger, task.task_id)
    return f"($exists({entry}.length) ? {instances} : {entry})"
