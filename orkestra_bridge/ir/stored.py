"""What of Airflow's database the tasks of a DAG use, as far as code and templates show (`Workflow.context_reads`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Task, Workflow

_RESUMABLE = ".resumablejobmixin.ResumableJobMixin"
"""The end of the name that Airflow 3.3's mixin has; the one that providers bring for older ones has another."""


def readers(workflow: Workflow, key: str) -> tuple[Task, ...]:
    """Return the tasks whose code or templates read a key of the context that wants a table."""
    found = {read.task_id for read in workflow.context_reads if read.key == key}
    return tuple(task for task in workflow.tasks if task.task_id in found)


def stores_state(workflow: Workflow) -> bool:
    """Return True if a task may store something for its next try: its own code, or that of a resumable operator."""
    return any(read.key == "task_state_store" for read in workflow.context_reads) or any(
        base.endswith(_RESUMABLE) for task in workflow.tasks for base in task.bases
    )


def assets_with_state(workflow: Workflow) -> tuple[str, ...]:
    """Return the names of the assets with which tasks may store something: inlets and outlets of those that do."""
    tasks = readers(workflow, "asset_state_store")
    leaves = (leaf for task in tasks for leaf in (*task.inlets, *task.outlets))
    return tuple(sorted({leaf.name for leaf in leaves if leaf.kind == "asset" and leaf.name}))


def keys_of_history(workflow: Workflow) -> tuple[str, ...]:
    """Return the keys of the assets whose past events tasks read: the inlets of those that do."""
    leaves = (leaf for task in readers(workflow, "inlet_events") for leaf in task.inlets)
    return tuple(sorted({key for leaf in leaves for key in leaf.keys}))
