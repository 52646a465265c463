"""A mapped task or mapped task group -> an inline Map whose iterations are its instances.

    v: expand   asks the function how many instances there are; left out where that is known already
    v: map      one iteration per instance: the state ``v`` that any other task would have, or the group's states

What the ledger holds for mapped tasks is said in `runtime/mapping.py`. Items are not copied into the state data: the
function finds an instance's item by its map index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.asl.jsonata import expression, lookup, merge, text
from orkestra_bridge.asl.model import Catcher, Machine, MapState, PassState, State, TaskState
from orkestra_bridge.lowering.map_limits import AT_ONCE, room_for
from orkestra_bridge.lowering.scope import INPUT, Scope
from orkestra_bridge.lowering.task import FUNCTION, LAMBDA_INVOKE, SERVICE_ERRORS, failed_entry, payload

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Task
    from orkestra_bridge.lowering.scope import Plan

_SELECTED_LEDGER = "$states.input.ledger"
_SELECTED_INDEX = "$states.input.index"
_VARIABLE = "map_index"
INDEX_VARIABLE = f"${_VARIABLE}"


def lower_mapped(
    plan: Plan, name: str, task: Task, scope: Scope, *, following: str | None, instance: Machine
) -> dict[str, State]:
    """Return the states of a mapped task or group, the first of which is ``name``; ``instance`` is one iteration."""
    length = known_length(task)
    if length:
        items = f"[0..{length - 1}]"
        return {name: _map(plan, task, scope, items, following=following, instance=instance)}
    later, name_of_map = scope.after_first(), plan.names.fresh(_map_name(task))
    lengths = [f"{lookup(later.ledger, task_id)}.length" for task_id in plan.ledger_ids([task.task_id])]
    known = lengths[0] if len(lengths) == 1 else f"$max([{', '.join(lengths)}])"
    items = f"($length := {known}; $length > 0 ? [0..$length - 1] : [])"
    return {
        name: _expand(plan, task, scope, name_of_map),
        name_of_map: _map(plan, task, later, items, following=following, instance=instance),
    }


def entry_name(plan: Plan, task: Task) -> str:
    """Return the name of the first state of a mapped task or group."""
    return plan.names.fresh(_map_name(task) if known_length(task) else f"{task.task_id}: expand")


def known_length(task: Task) -> int:
    """Return how many instances there are, 0 if the run has to find out or there is nothing to run."""
    return task.expansion.length or 0 if task.expansion else 0


def instance_scope(task_id: str, around: Scope) -> Scope:
    """Return the scope of an instance of a mapped task that is all of its iteration."""
    return Scope(
        ledger=_SELECTED_LEDGER,
        returns=(task_id,),
        map_index=_SELECTED_INDEX,
        later_index=f"{lookup(INPUT, task_id)}.map_index",
        execution=around.execution,
    )


def start_of_instance(following: str) -> PassState:
    """Return the state that an instance of a mapped group begins with: it keeps the map index as a variable."""
    return PassState(
        assign={_VARIABLE: expression(_SELECTED_INDEX)}, output=expression(_SELECTED_LEDGER), next=following
    )


def _map_name(task: Task) -> str:
    return f"{task.task_id}: map"


def _expand(plan: Plan, task: Task, scope: Scope, following: str) -> TaskState:
    group = task.task_id in plan.groups.members
    answer = "$states.result.Payload"
    failed = {task_id: failed_entry(scope) for task_id in plan.ledger_ids([task.task_id])}
    return TaskState(
        comment=f"Decides whether {task.task_id} runs, and how many instances of it",
        resource=LAMBDA_INVOKE,
        arguments={
            "FunctionName": FUNCTION,
            "Payload": {
                **payload(scope, task.task_id),
                "expand": {"limit": room_for(plan.sharing(task.task_id), task, plan.groups.members)},
            },
        },
        output=expression(merge(scope.ledger, answer if group else f"{{{text(task.task_id)}: {answer}}}")),
        next=following,
        retry=(SERVICE_ERRORS,),
        catch=(Catcher(errors=("States.ALL",), next=following, output=scope.output(failed, last=False)),),
    )


def _map(
    plan: Plan, task: Task, scope: Scope, items: str, *, following: str | None, instance: Machine
) -> MapState:
    gathered = {task_id: _gathered(task_id, task, scope) for task_id in plan.ledger_ids([task.task_id])}
    return MapState(
        comment=f"The instances of {task.task_id} ({task.span.file}:{task.span.line})",
        items=expression(items),
        selector={"index": expression("$states.context.Map.Item.Index"), "ledger": expression(scope.ledger)},
        at_once=task.max_active if task.max_active and task.max_active < AT_ONCE else None,
        processor=instance,
        output=scope.output(gathered, last=following is None),
        next=following,
    )


def _gathered(task_id: str, expanded: Task, scope: Scope) -> str:
    """Return JSONata for the entry: the instances, or what there is already of a task that was not expanded."""
    instances = f"{{'instances': [{lookup('$states.result', task_id)}]}}"
    if known_length(expanded):
        return instances
    entry = lookup(scope.ledger, task_id)
    return f"($exists({entry}.length) ? {instances} : {entry})"
