"""A mapped task or mapped task group -> a Map whose iterations are its instances.

    v: expand   asks the function how many instances there are; left out where that is known already
    v: map      one iteration per instance: the state ``v`` that any other task would have, or the group's states

What the ledger holds for mapped tasks is said in `runtime/mapping.py`. Items are not copied into the state data: the
function finds an instance's item by its map index.

Where the history of one execution has no room for all instances, each is an execution of its own (a distributed Map). Its
input has the execution of the whole run, which is what tasks see, and its output is brief: all outputs together are the
Map's result, which has 256 KiB.

Source: AWS Step Functions developer guide, "Using Map state in Distributed mode".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orkestra_bridge.asl.jsonata import expression, lookup, merge, text
from orkestra_bridge.asl.model import Catcher, Machine, MapState, PassState, State, TaskState
from orkestra_bridge.lowering.map_limits import AT_ONCE, room_for
from orkestra_bridge.lowering.part import IN_PART
from orkestra_bridge.lowering.scope import INPUT, Scope
from orkestra_bridge.lowering.task import FUNCTION, LAMBDA_INVOKE, SERVICE_ERRORS, failed_entry, payload

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Task
    from orkestra_bridge.lowering.scope import Plan

_SELECTED_LEDGER = "$states.input.ledger"
_SELECTED_INDEX = "$states.input.index"
_VARIABLE = "map_index"
INDEX_VARIABLE = f"${_VARIABLE}"
_SHOWN_TYPE = 30
"""Characters of the type of an error."""


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


def execution_of(plan: Plan, task_id: str, around: Scope) -> str:
    """Return JSONata for the execution of the whole run, in an instance of a mapped task or group."""
    return IN_PART if task_id in plan.distributed else around.execution


def instance_scope(plan: Plan, task_id: str, around: Scope) -> Scope:
    """Return the scope of an instance of a mapped task that is all of its iteration."""
    return Scope(
        ledger=_SELECTED_LEDGER,
        returns=(task_id,),
        map_index=_SELECTED_INDEX,
        later_index=f"{lookup(INPUT, task_id)}.map_index",
        execution=execution_of(plan, task_id, around),
    )


def start_of_instance(following: str) -> PassState:
    """Return the state that an instance of a mapped group begins with: it keeps the map index as a variable."""
    return PassState(
        assign={_VARIABLE: expression(_SELECTED_INDEX)}, output=expression(_SELECTED_LEDGER), next=following
    )


def end_of_instance(plan: Plan, task_id: str) -> dict[str, State]:
    """Return the state that ends an instance of a mapped task or group; none where it returns its ledger as it is."""
    if task_id not in plan.distributed:
        return {}
    entries = ", ".join(_brief(lookup(INPUT, each)) for each in plan.ledger_ids([task_id]))
    brief = PassState(
        comment="As little as possible: a Map's result has 256 KiB",
        output=expression(f"[{entries}]"),
        next=None,
    )
    return {plan.names.fresh(f"{task_id}: result"): brief}


def _brief(entry: str) -> str:
    """Return JSONata for an entry without what its place says or most entries have (`runtime/failure.py`: completed)."""
    return (
        f"{{'state': {entry}.state, 'tries': {entry}.tries != 1 ? {entry}.tries, 'at': {entry}.at, 'was': {entry}.was, "
        f"'xcom': {entry}.xcom, 'skip': {entry}.skip, "
        f"'error': $exists({entry}.error) ? {{'type': $substring({entry}.error.type, 0, {_SHOWN_TYPE})}}}}"
    )


def _map_name(task: Task) -> str:
    return f"{task.task_id}: map"


def _expand(plan: Plan, task: Task, scope: Scope, following: str) -> TaskState:
    group = task.task_id in plan.groups.members
    answer = "$states.result.Payload"
    failed = {task_id: failed_entry(plan, scope, task_id) for task_id in plan.ledger_ids([task.task_id])}
    return TaskState(
        comment=f"Decides whether {task.task_id} runs, and how many instances of it",
        resource=LAMBDA_INVOKE,
        arguments={
            "FunctionName": FUNCTION,
            "Payload": {
                **payload(scope, task.task_id),
                "expand": _limits(plan, task),
            },
        },
        output=expression(merge(scope.ledger, answer if group else f"{{{text(task.task_id)}: {answer}}}")),
        next=following,
        retry=(SERVICE_ERRORS,),
        catch=(Catcher(errors=("States.ALL",), next=following, output=scope.output(failed, last=False)),),
    )


def _limits(plan: Plan, task: Task) -> dict[str, Any]:
    """Return what limits the number of instances (`runtime/mapping.py`)."""
    room = room_for(plan.sharing(task.task_id), task, plan.members, plan.distributed)
    share = None if plan.archives else plan.shares.get(task.task_id)
    if share is None:
        return {"limit": room}
    ledger = {
        "room": share.room,
        "each": share.each,
        "after": list(share.after),
        "sharers": share.sharers,
    }
    return {"limit": min(room, share.most), "ledger": ledger}


def _map(
    plan: Plan, task: Task, scope: Scope, items: str, *, following: str | None, instance: Machine
) -> MapState:
    distributed = task.task_id in plan.distributed
    gathered = {
        task_id: _gathered(task_id, task, scope, position if distributed else None)
        for position, task_id in enumerate(plan.ledger_ids([task.task_id]))
    }
    selected = {"index": "$states.context.Map.Item.Index", "ledger": scope.ledger}
    if distributed:
        selected["root"] = scope.execution
    at_once = min(task.max_active or AT_ONCE, AT_ONCE)
    return MapState(
        comment=f"The instances of {task.task_id} ({task.span.file}:{task.span.line})",
        items=expression(items),
        selector={name: expression(value) for name, value in selected.items()},
        at_once=at_once if distributed or at_once < AT_ONCE else None,
        distributed=distributed,
        processor=instance,
        output=scope.output(gathered, last=following is None),
        next=following,
    )


def _gathered(task_id: str, expanded: Task, scope: Scope, position: int | None) -> str:
    """Return JSONata for the entry: the instances, or what there is already of a task that was not expanded.

    ``position`` is that of the task's entry in what an instance of a distributed Map returns.
    """
    found = lookup("$states.result", task_id)
    if position is not None:
        found = f"$map($states.result, function($each) {{$each[{position}]}})"
    instances = f"{{'execution': {scope.execution}.Name, 'instances': [{found}]}}"
    if known_length(expanded):
        return instances
    entry = lookup(scope.ledger, task_id)
    return f"($exists({entry}.length) ? {instances} : {entry})"
