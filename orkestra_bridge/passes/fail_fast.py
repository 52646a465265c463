"""Whether a DAG that stops at the first failure can be translated.

Airflow then fails what is running and skips what is waiting, wherever it stands in the graph, teardowns excepted
(`_stop_remaining_tasks` in `airflow/models/taskinstance.py`). In a state machine only the tasks after a failed one know
of it; so that is enough exactly where no other task can run beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.ir.attributes import is_given
from orkestra_bridge.ir.graph import bits, task_order
from orkestra_bridge.passes import rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Workflow

FAIL_FAST = ("fail_fast", "fail_stop")
_REMEDY = "set it to False: tasks below a failed one do not run in any case"


def about_fail_fast(workflow: Workflow) -> Iterator[Finding]:
    """Yield a finding if the DAG stops at the first failure and has tasks that run side by side."""
    if not is_given(workflow.attributes, *FAIL_FAST):
        return
    why = _side_by_side(workflow)
    if why:
        name = next(each.name for each in workflow.attributes if each.name in FAIL_FAST)
        yield rules.FAIL_FAST.at(
            workflow.span,
            f"{why}: in a state machine nothing stops the one when the other fails",
            _REMEDY,
            dag_id=workflow.dag_id,
            attribute=name,
        )


def _side_by_side(workflow: Workflow) -> str | None:
    order = task_order(workflow.tasks)
    for i, task in enumerate(workflow.tasks):
        if task.mapped:
            return f"the instances of {task.task_id!r} run side by side"
        others = order.everything & ~(order.above[i] | order.below[i] | 1 << i)
        if others and not task.is_teardown:
            return f"{task.task_id!r} and {order.names[next(iter(bits(others)))]!r} run side by side"
    return None
