"""Which other DAGs a DAG starts or waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Task, Workflow


def other_dags(workflow: Workflow) -> tuple[str, ...]:
    """Return the ids of the DAGs that tasks of this one start or wait for, sorted; templates are left out."""
    return tuple(
        sorted({task.calls for task in workflow.tasks if task.calls and not is_template(task.calls)})
    )


def started_dags(workflow: Workflow) -> tuple[str, ...]:
    """Return those of them that are started."""
    named = {task.calls for task in workflow.tasks if not is_sensor(task)}
    return tuple(dag_id for dag_id in other_dags(workflow) if dag_id in named)


def is_sensor(task: Task) -> bool:
    """Return True if a task waits for another DAG and does not start it."""
    return task.polling is not None and not task.polling.resumes


def is_template(text: str) -> bool:
    """Return True if an argument is made when the task runs."""
    return "{{" in text or "{%" in text
