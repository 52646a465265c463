"""What the machine does differently from Airflow in rules and in time, said for each task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.lowering.poll_limits import about_polling
from orkestra_bridge.lowering.rules import (
    EARLY_RULE,
    LAMBDA_TIMEOUT,
    LONG_TASK,
    RETRY_JITTER,
    UNKNOWN_TRIGGER_RULE,
)
from orkestra_bridge.operators.registry import Runs, family_of
from orkestra_bridge.runtime.trigger_rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Task, Workflow

LAMBDA_LIMIT = 900
"""Seconds (AWS Lambda quotas, function timeout)."""


def check_limits(workflow: Workflow, late: Mapping[str, str]) -> tuple[Finding, ...]:
    """Return the findings about trigger rules, retries and time limits.

    ``late`` has the tasks with a rule that fires early which wait for all their upstream tasks, and why.
    """
    found = [finding for task in workflow.tasks for finding in _task(workflow, task, late)]
    return (*found, *_unlimited(workflow))


def _task(workflow: Workflow, task: Task, late: Mapping[str, str]) -> Iterator[Finding]:
    dag_id = workflow.dag_id
    if task.trigger_rule not in RULES:
        yield UNKNOWN_TRIGGER_RULE.at(
            task.span,
            f"trigger rule {task.trigger_rule!r} is unknown here",
            f"use one of {', '.join(sorted(RULES))}",
            dag_id=dag_id,
            task_id=task.task_id,
            attribute="trigger_rule",
        )
    if task.task_id in late:
        yield EARLY_RULE.at(
            task.span,
            f"{task.trigger_rule} starts when all upstream tasks have finished, Airflow would start it earlier: "
            f"{late[task.task_id]}",
            "nothing if the time does not matter: the outcome is the same",
            dag_id=dag_id,
            task_id=task.task_id,
            attribute="trigger_rule",
        )
    if task.polling:
        yield from about_polling(workflow, task)
        return
    in_lambda = task.container is None
    if in_lambda and task.limit is not None and task.limit > LAMBDA_LIMIT:
        yield LONG_TASK.at(
            task.span,
            f"a try may take {task.limit:g} s, a Lambda function ends after {LAMBDA_LIMIT} s",
            "lower it if the task takes less, split the task, or let it run in a container",
            dag_id=dag_id,
            task_id=task.task_id,
            attribute="execution_timeout",
        )
    if task.retry.attempts and task.retry.backoff > 1 and not task.tries_by_policy:
        yield RETRY_JITTER.at(
            task.span,
            "retry_exponential_backoff: the delay doubles from try to try; Airflow adds up to as much again, so that "
            "retries may come sooner here",
            "nothing: the first delay and the limit are the same",
            dag_id=dag_id,
            task_id=task.task_id,
            attribute="retry_exponential_backoff",
        )


def _unlimited(workflow: Workflow) -> Iterator[Finding]:
    tasks = [
        task
        for task in workflow.tasks
        if task.container is None
        and task.limit is None
        and task.polling is None
        and (family := family_of(task))
        and family.runs is Runs.LAMBDA
    ]
    if tasks:
        yield LAMBDA_TIMEOUT.at(
            workflow.span,
            f"{len(tasks)} of {len(workflow.tasks)} tasks have no execution_timeout; they end after {LAMBDA_LIMIT} s",
            "set execution_timeout if a task must end sooner; one that needs longer runs in a container (--container)",
            dag_id=workflow.dag_id,
            attribute="execution_timeout",
        )
