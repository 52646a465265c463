"""What is said about tasks that read what Airflow keeps in its database and hands out as part of the context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.passes import rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orkestra_bridge.diagnostics import Finding, Rule
    from orkestra_bridge.ir.model import ContextRead, Workflow

_REFUSED = {
    "inlet_events": (
        "the events that assets had before this run are in Airflow's database, and nobody keeps them here",
        "use triggering_asset_events, or let the task that makes the asset write down what this one needs",
    ),
    "asset_state_store": (
        "what is stored with an asset is in Airflow's database",
        "keep it in S3, DynamoDB or Parameter Store (boto3), under the asset's URI",
    ),
}
"""For each key of the context that has no counterpart: why, and what to do instead."""


def about_context_reads(workflow: Workflow) -> tuple[Finding, ...]:
    """Return what is said about code and templates that read such keys.

    An error for each place that reads one for which there is nothing on AWS, and one note for those that DynamoDB has.
    """
    return (*_refused(workflow), *_stored(workflow))


def _refused(workflow: Workflow) -> Iterator[Finding]:
    for read in workflow.context_reads:
        if read.task_id is None:
            why = (
                "a callback of the DAG belongs to no task instance, and what Airflow keeps is kept for those"
            )
            remedy = "read it in a task, or in a callback of one"
        elif read.key in _REFUSED:
            why, remedy = _REFUSED[read.key]
        else:
            continue
        yield _at(workflow, read, rules.CONTEXT_KEY, f"it reads {read.key} of the context: {why}", remedy)


def _stored(workflow: Workflow) -> Iterator[Finding]:
    read = next((each for each in workflow.context_reads if each.key == "task_state_store"), None)
    if read is not None:
        message = (
            "what it stores in task_state_store is in a table of DynamoDB: a value has 400,000 bytes at most, "
            "and what has expired is gone at once"
        )
        remedy = "nothing, unless values are larger: put these into S3, and store their place"
        yield _at(workflow, read, rules.STATE_TABLE, message, remedy)


def _at(workflow: Workflow, read: ContextRead, rule: Rule, message: str, remedy: str) -> Finding:
    return rule.at(
        read.span,
        message,
        remedy,
        dag_id=workflow.dag_id,
        task_id=read.task_id,
        attribute=read.attribute,
    )
