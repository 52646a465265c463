"""What the configuration gives a DAG and its tasks: memory, time, and the events that start it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orkestra_bridge.ir.model import Given
from orkestra_bridge.options import for_dag, for_task
from orkestra_bridge.passes import rules

if TYPE_CHECKING:
    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Task, Workflow
    from orkestra_bridge.options import Overrides


def configure(workflow: Workflow, overrides: Overrides) -> Workflow:
    """Return the workflow with what it and its tasks are given."""
    of_dag = Given(
        memory=for_dag(overrides.memory, workflow.dag_id), timeout=for_dag(overrides.timeout, workflow.dag_id)
    )
    return replace(
        workflow,
        tasks=tuple(
            replace(task, given=_given(workflow.dag_id, task, of_dag, overrides)) for task in workflow.tasks
        ),
        events=for_dag(overrides.events, workflow.dag_id) or (),
    )


def _given(dag_id: str, task: Task, of_dag: Given, overrides: Overrides) -> Given | None:
    memory = for_task(overrides.memory, dag_id, task.task_id) or of_dag.memory
    timeout = for_task(overrides.timeout, dag_id, task.task_id) or of_dag.timeout
    if memory is None and timeout is None:
        return None
    own = (memory, timeout) != (of_dag.memory, of_dag.timeout)
    return Given(memory=memory, timeout=timeout, own=own)


def about_given(workflow: Workflow) -> tuple[Finding, ...]:
    """Return a finding for each task that ends sooner than its execution_timeout says."""
    return tuple(
        rules.ENDS_SOONER.at(
            task.span,
            f"the configuration ends it after {task.given.timeout} s, execution_timeout is "
            f"{task.execution_timeout:g} s",
            "nothing if that is meant; else give it a longer timeout, or none",
            dag_id=workflow.dag_id,
            task_id=task.task_id,
            attribute="execution_timeout",
        )
        for task in workflow.tasks
        if task.given and task.execution_timeout and task.limit != task.execution_timeout
    )
