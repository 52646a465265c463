"""EmptyOperator -> a Pass state: no function is invoked, the trigger rule is evaluated in JSONata."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.asl.jsonata import lookup
from orkestra_bridge.asl.model import PassState, State
from orkestra_bridge.ir.attributes import is_given
from orkestra_bridge.lowering.guard import Guard, entry_expression

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Task
    from orkestra_bridge.lowering.scope import Plan, Scope


def lower_empty(plan: Plan, task: Task, scope: Scope, following: str | None) -> dict[str, State]:
    """Return the state of a task that does nothing but take part in the order."""
    name = plan.names.of_task[task.task_id]
    entry = entry_expression(_guard(plan, task), scope.ledger)
    if scope.map_index:
        entry = _of_instance(entry, lookup(scope.ledger, task.task_id), scope.map_index)
    rule = "" if task.trigger_rule == "all_success" else f", {task.trigger_rule}"
    return {
        name: PassState(
            comment=f"{task.operator}{rule} ({task.span.file}:{task.span.line})",
            output=scope.output({task.task_id: entry}, last=following is None),
            next=following,
        )
    }


def _of_instance(entry: str, before: str, map_index: str) -> str:
    """Return JSONata for the entry of an instance: what there is of a task that was not expanded stands for all."""
    return f"($exists({before}.state) ? {before} : $merge([{entry}, {{'map_index': {map_index}}}]))"


def _guard(plan: Plan, task: Task) -> Guard:
    return Guard(
        task_id=task.task_id,
        rule=task.trigger_rule,
        upstream=task.upstream,
        setups=tuple(name for name in task.upstream if name in plan.setups.setups),
        needed=tuple(plan.setups.needed_by(task.task_id)),
        skippers=plan.skippers[task.task_id],
        mapped=plan.mapped,
        skippable=frozenset(name for name in task.upstream if plan.skippers[name]),
        stops=not task.is_teardown and is_given(plan.workflow.attributes, "fail_fast", "fail_stop"),
    )
