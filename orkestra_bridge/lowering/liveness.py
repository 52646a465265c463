"""Which entries of a part's tasks the states after it look at: those that stay in the ledger when the rest is put away.

A task looks at the states of its direct upstream tasks, of the setups and teardowns that concern it, and of tasks that
may have skipped it; the end of the run at those of the leaves; and a DAG that stops at the first failure at all of them.
What else a task may ask for, such as the XComs of any task above it, it finds where they have been put away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.ir.attributes import is_given

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orkestra_bridge.lowering.scope import Plan


def looked_at_later(plan: Plan, ended: Iterable[str]) -> tuple[str, ...]:
    """Return those of the tasks that have ended in a part whose states matter to tasks outside of it, in their order."""
    inside = tuple(ended)
    if is_given(plan.workflow.attributes, "fail_fast", "fail_stop"):
        return inside
    if not plan.watchers:
        plan.watchers.update(_watchers(plan))
    own = frozenset(inside)
    return tuple(task_id for task_id in inside if plan.watchers[task_id] - own)


def _watchers(plan: Plan) -> dict[str, set[str]]:
    """Return for each task the tasks that look at its state; for a leaf, the end of the run does, which has no name."""
    found: dict[str, set[str]] = {task.task_id: set() for task in plan.workflow.tasks}
    for task_id in plan.setups.leaves():
        found[task_id].add("")
    for task in plan.workflow.tasks:
        name = task.task_id
        watched = {*task.upstream, *plan.setups.needed_by(name), *plan.setups.scope_of(name)}
        for task_id in watched.union(plan.skippers[name]):
            found[task_id].add(name)
    return found
