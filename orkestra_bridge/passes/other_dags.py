"""What is said about DAGs that others start or wait for, where nobody converts them with these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.naming import machine_name
from orkestra_bridge.operators.other_dags import is_sensor, is_template
from orkestra_bridge.passes import rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Workflow


def about_other_dags(workflow: Workflow, known: Mapping[str, Workflow]) -> Iterator[Finding]:
    """Yield a finding for each task whose other DAG is not among the known ones, or has no fixed name."""
    for task in workflow.tasks:
        attribute = "external_dag_id" if is_sensor(task) else "trigger_dag_id"
        if task.calls and is_template(task.calls):
            yield rules.OTHER_DAG_TEMPLATE.at(
                task.span,
                f"only the run knows which DAG {task.calls} is, and the function may not start or see just any",
                "name the DAG, or use one task for each of them behind a @task.branch",
                dag_id=workflow.dag_id,
                task_id=task.task_id,
                attribute=attribute,
            )
        elif task.calls and task.calls not in known:
            yield rules.OTHER_DAG_UNKNOWN.at(
                task.span,
                f"DAG {task.calls!r} is not part of this conversion: its state machine is expected to be named "
                f"{machine_name(task.calls)!r}, with the schedule of this DAG",
                "convert the two together, or set the parameter for its state machine's name when you deploy",
                dag_id=workflow.dag_id,
                task_id=task.task_id,
                attribute=attribute,
            )
