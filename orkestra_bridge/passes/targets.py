"""What was asked for about where a task runs, and has no effect: one finding for each reason, with all of its tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.operators.environments import environment_of
from orkestra_bridge.operators.registry import Runs, family_of
from orkestra_bridge.passes import rules
from orkestra_bridge.passes.placement import chosen_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Task, Workflow
    from orkestra_bridge.options import RunsIn

_SHOWN = 5


def about_targets(workflow: Workflow, targets: Mapping[str, RunsIn]) -> tuple[Finding, ...]:
    """Return the findings about tasks of a placed workflow that do not run where ``targets`` says."""
    groups: dict[tuple[RunsIn, str], list[Task]] = {}
    for task in workflow.tasks if targets else ():
        target = chosen_for(workflow.dag_id, task, targets)
        why = _why_not(task, target) if target is not None else None
        if target is not None and why is not None:
            groups.setdefault((target, why), []).append(task)
    return tuple(
        rules.TARGET.at(
            tasks[0].span,
            f"target {target} has no effect on {_named(tasks)}: {why}",
            "nothing, if that is all right; else name the tasks that are meant with a pattern of their own",
            dag_id=workflow.dag_id,
            task_id=tasks[0].task_id,
        )
        for (target, why), tasks in groups.items()
    )


def _why_not(task: Task, target: RunsIn) -> str | None:
    """Return why a task does not run where it is said to; None if it does, or if nothing here runs it."""
    family = family_of(task)
    if family is None or _follows(task, target):
        return None
    if family.runs is not Runs.LAMBDA:
        return "no code runs for it, the state machine does it"
    if task.image is not None:
        return (
            "its function runs in an image built on its own"
            if task.image.python
            else "it starts its own image"
        )
    if environment_of(task) is not None:
        return "its function has a Python of its own, which is part of an image"
    if target == "airflow" and task.calls:
        return "it starts another DAG or waits for one, and what that is on AWS Airflow does not know"
    return "it waits, and between two looks nothing runs"


def _follows(task: Task, target: RunsIn) -> bool:
    if target == "airflow":
        return task.container is not None and task.container.airflow
    return (task.container is not None) == (target == "container")


def _named(tasks: list[Task]) -> str:
    names = ", ".join(task.task_id for task in tasks[:_SHOWN])
    return names if len(tasks) <= _SHOWN else f"{names} and {len(tasks) - _SHOWN} more"
