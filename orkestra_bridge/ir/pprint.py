"""A workflow as text that people read and compare: one line per task, defaults left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.ir.model import Retry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orkestra_bridge.ir.model import Task, Workflow


def workflow_text(workflow: Workflow) -> str:
    """Return the text form, ending with a newline.

    ::

        dag sales  (sales.py:12, Airflow 3.3.2)
          schedule  0 6 * * *  Europe/Paris
          task extract    @task              retries=2
          task load       @task              <- extract
    """
    return "\n".join(_lines(workflow)) + "\n"


def _lines(workflow: Workflow) -> Iterator[str]:
    yield f"dag {workflow.dag_id}  ({workflow.span.file}:{workflow.span.line}, Airflow {workflow.airflow_version})"
    yield f"  schedule  {workflow.schedule.text}  {workflow.schedule.timezone}"
    for name in ("start_date", "end_date", "dagrun_timeout"):
        value = getattr(workflow, name)
        if value is not None:
            yield f"  {name}  {value}"
    if workflow.params:
        yield f"  params  {', '.join(sorted(workflow.params))}"
    width = max((len(task.task_id) for task in workflow.tasks), default=0)
    kinds = max((len(_kind(task)) for task in workflow.tasks), default=0)
    for task in workflow.tasks:
        rest = "  ".join(_details(task))
        yield f"  task {task.task_id:<{width}}  {_kind(task):<{kinds}}  {rest}".rstrip()


def _kind(task: Task) -> str:
    return task.decorator or task.operator


def _details(task: Task) -> Iterator[str]:
    if task.upstream:
        yield f"<- {', '.join(task.upstream)}"
    if task.trigger_rule != "all_success":
        yield f"rule={task.trigger_rule}"
    if task.retry.attempts != Retry().attempts:
        yield f"retries={task.retry.attempts} every {task.retry.delay:g}s"
    if task.execution_timeout is not None:
        yield f"timeout={task.execution_timeout:g}s"
    if task.mapped:
        yield "mapped"
    if task.container is not None:
        yield f"in a container ({task.container.reason})"
