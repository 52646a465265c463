"""How much of the state data the ledger may take, and each task's entry in it.

Input, arguments, result and output of a state have 256 KiB at most (AWS: "Step Functions service quotas"). What a task
pushes beyond its share is kept elsewhere (`runtime/large.py`), and what an error says beyond it is cut off. Where even
that is too much, a part of the DAG puts its entries away when it ends (`runtime/archive.py`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orkestra_bridge.ir.attributes import is_given
from orkestra_bridge.operators.registry import BASH, Runs, family_of
from orkestra_bridge.runtime.mapping import ROOM_OF_MAPS

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Task, Workflow

STATE_DATA = 262_144
ROOM = STATE_DATA - 16_384
"""Bytes for the ledger: the rest is for the run document and the context object."""
ENTRY = 70
"""Bytes of an entry beside id, XComs and error."""
REFERENCE = 150
"""Bytes of the XComs of an entry of which all is kept elsewhere."""
ASSUMED_LENGTH = 100
"""Instances that are counted where only the run knows how many there are."""
LARGEST_INLINE = 8_192
LARGEST_ERROR = 16_000
SMALLEST_ERROR = 200
_CALLBACKS = (
    "on_execute_callback",
    "on_failure_callback",
    "on_retry_callback",
    "on_skipped_callback",
    "on_success_callback",
)


def sized(workflow: Workflow) -> Workflow:
    """Return the workflow with the limits of its ledger's entries, which the runtime keeps to."""
    counts = [(task, instances_of(workflow, task)) for task in workflow.tasks]
    return replace(workflow, inline_limit=_inline_limit(counts), error_limit=_error_limit(counts))


def _inline_limit(counts: list[tuple[Task, int]]) -> int:
    """Return how many bytes of XComs may stay in the entry of a task instance.

    Between what a reference takes and 8 KiB. Mapped tasks whose length only the run knows have most of the state data for
    their instances (`map_data.py`), for which the runtime knows the limit.
    """
    known = [(task, count) for task, count in counts if count]
    room = _room_of_known(counts)
    entries = sum(count * (ENTRY + len(task.task_id.encode())) for task, count in known)
    pushing = sum(count for task, count in known if may_push(task))
    share = (room - entries) // max(1, pushing)
    return max(REFERENCE, min(LARGEST_INLINE, share))


def _error_limit(counts: list[tuple[Task, int]]) -> int:
    """Return how many characters the error of a task instance may have in its entry, if all of them fail."""
    share = _room_of_known(counts) // max(1, sum(count for _, count in counts)) - ENTRY
    return max(SMALLEST_ERROR, min(LARGEST_ERROR, share))


def _room_of_known(counts: list[tuple[Task, int]]) -> int:
    """Return the bytes for tasks whose number of instances is known."""
    return ROOM if all(count for _, count in counts) else ROOM - ROOM_OF_MAPS


def least_data(workflow: Workflow, task: Task) -> int:
    """Return the bytes that the ledger has of all instances of a task if only references to their XComs are in it."""
    count = instances_of(workflow, task) or ASSUMED_LENGTH
    return len(task.task_id.encode()) + count * (ENTRY + REFERENCE * may_push(task))


def least_state(workflow: Workflow, task: Task) -> int:
    """Return the bytes that the ledger has of a task whose XComs have been put away."""
    return len(task.task_id.encode()) + (instances_of(workflow, task) or ASSUMED_LENGTH) * ENTRY


def may_push(task: Task) -> bool:
    """Return True if a task, or one of its callbacks, can push an XCom of any length."""
    family = family_of(task)
    if family is None or family.runs is not Runs.LAMBDA:
        return False
    silent = any(each.name == "do_xcom_push" and not each.value for each in task.attributes)
    # other operators' code may push by itself, whatever becomes of what it returns
    return family is not BASH or not silent or is_given(task.attributes, *_CALLBACKS)


def instances_of(workflow: Workflow, task: Task) -> int:
    """Return how many instances of a task there are, 0 where only the run knows."""
    if not task.mapped:
        return 1
    groups = (group.expansion for group in workflow.mapped_groups if group.group_id == task.mapped_group)
    expansion = task.expansion or next(groups, None)
    return (expansion.length or 0) if expansion else 0
