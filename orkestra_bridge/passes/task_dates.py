"""Tasks with dates of their own: Airflow leaves them out of the runs before and after.

`DagRun.verify_integrity` makes no task instance for a task whose start_date is after the logical date, or whose end_date
is before it. A state machine has all tasks in every run; so it is the same only where no scheduled run is outside.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from orkestra_bridge.passes import rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import JsonValue, Workflow


def about_task_dates(workflow: Workflow) -> Iterator[Finding]:
    """Yield a finding for each date of a task that leaves it out of some of the DAG's runs."""
    first, last = _moment(workflow.start_date), _moment(workflow.end_date)
    for task in workflow.tasks:
        for attribute in task.attributes:
            moment = _moment(attribute.value) if attribute.name in ("start_date", "end_date") else None
            if moment is None:
                continue
            within = (
                first is not None and moment <= first
                if attribute.name == "start_date"
                else last is not None and moment >= last
            )
            if not within:
                side = "before" if attribute.name == "start_date" else "after"
                yield rules.TASK_DATES.at(
                    task.span,
                    f"Airflow leaves the task out of runs whose logical date is {side} {attribute.value}; "
                    "here it takes part in every run",
                    "begin the task with a look at logical_date and raise AirflowSkipException, or make two DAGs",
                    dag_id=workflow.dag_id,
                    task_id=task.task_id,
                    attribute=attribute.name,
                )


def _moment(value: JsonValue) -> datetime | None:
    """Return an ISO 8601 text as a moment, UTC where it has no offset; None for anything else."""
    try:
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except (AttributeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
