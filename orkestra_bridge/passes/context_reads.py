"""What is said about tasks that read what Airflow keeps in its database and hands out as part of the context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.passes import rules

if TYPE_CHECKING:
    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Workflow

_WHY = {
    "inlet_events": (
        "the events that assets had before this run are in Airflow's database, and nobody keeps them here",
        "use triggering_asset_events, or let the task that makes the asset write down what this one needs",
    ),
    "task_state_store": (
        "what a task stores to find it again when it is retried is in Airflow's database",
        "keep it in S3 or DynamoDB (boto3), under run_id, task_id and map_index",
    ),
    "asset_state_store": (
        "what is stored with an asset is in Airflow's database",
        "keep it in S3, DynamoDB or Parameter Store (boto3), under the asset's URI",
    ),
}
"""For each key of the context that has no counterpart: why, and what to do instead."""


def about_context_reads(workflow: Workflow) -> tuple[Finding, ...]:
    """Return an error for each place that reads a key of the context for which there is nothing on AWS."""
    found = []
    for read in workflow.context_reads:
        why, remedy = _WHY[read.key]
        found.append(
            rules.CONTEXT_KEY.at(
                read.span,
                f"it reads {read.key} of the context: {why}",
                remedy,
                dag_id=workflow.dag_id,
                task_id=read.task_id,
                attribute=read.attribute,
            )
        )
    return tuple(found)
