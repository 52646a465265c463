"""In which cases a callback that Airflow would call is not called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.ir.attributes import is_given
from orkestra_bridge.passes import rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Workflow


def about_callbacks(workflow: Workflow) -> Iterator[Finding]:
    """Yield a finding for each callback that is not called in some case."""
    if workflow.dagrun_timeout is not None and is_given(workflow.attributes, "on_failure_callback"):
        yield rules.CALLBACK_AFTER_TIMEOUT.at(
            workflow.span,
            "on_failure_callback is called after a failure, but not when dagrun_timeout "
            f"({workflow.dagrun_timeout:g} s) is over: Step Functions then ends the execution at once",
            "set a CloudWatch alarm on the state machine's ExecutionsTimedOut metric, with an SNS topic as its target",
            dag_id=workflow.dag_id,
            attribute="on_failure_callback",
        )
    for task in workflow.tasks:
        if task.retry.attempts and is_given(task.attributes, "on_retry_callback"):
            yield rules.CALLBACK_AFTER_KILL.at(
                task.span,
                "on_retry_callback is called after an error, but not when Lambda kills the function before its last try: "
                "Step Functions retries by itself",
                "nothing, or do its work at the beginning of the task if ti.try_number > 1",
                dag_id=workflow.dag_id,
                task_id=task.task_id,
                attribute="on_retry_callback",
            )
