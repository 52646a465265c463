"""How many instances a mapped task may have, and what is said about it.

Sources: AWS "Step Functions service quotas" (25,000 events in an execution's history) and "Using Map state in Inline
mode" (40 concurrent iterations); Airflow's ``[core] max_map_length``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.lowering.poll_limits import HISTORY, budget_of
from orkestra_bridge.lowering.rules import MAP_AT_ONCE, MAP_LENGTH, MAP_TOO_LONG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Task, Workflow

    Members = Mapping[str, tuple[Task, ...]]

NO_MEMBERS: Members = {}
AT_ONCE = 40
MAX_MAP_LENGTH = 1024
"""What a task may return to be mapped over; products of several arguments may be longer in Airflow."""
_EVENTS_PER_STATE = 5
"""An invocation: entered, scheduled, started, succeeded, exited."""
_EVENTS_PER_ITERATION = 4
"""Started and succeeded, and a Pass state entered and exited where the instance failed."""
_EVENTS_PER_RETRY = 3
_EVENTS_OF_MACHINE = 100


def room_for(workflow: Workflow, task: Task, members: Members = NO_MEMBERS) -> int:
    """Return the number of instances of a mapped task or group that fit into the history, at most Airflow's own limit.

    What is left after all other tasks is shared evenly by the mapped ones whose length only the run knows. ``members``
    are the tasks of mapped groups, which the workflow has as one task each.
    """
    open_ended = [other for other in _mapped(workflow) if not _length(other)]
    used = _EVENTS_OF_MACHINE + sum(
        _events(workflow, other, members) * (_length(other) or 1) for other in workflow.tasks
    )
    share = (HISTORY - used) // max(1, len(open_ended))
    return max(1, min(MAX_MAP_LENGTH, share // _events(workflow, task, members)))


def check_mapping(
    workflow: Workflow, members: Members = NO_MEMBERS, sharing: Callable[[str], Workflow] | None = None
) -> tuple[Finding, ...]:
    """Return the findings about the lengths of mapped tasks and groups.

    The first arguments are those of `room_for`; ``sharing`` gives the tasks that share a state machine with one of them.
    """
    return tuple(
        finding
        for task in _mapped(workflow)
        for finding in _task(sharing(task.task_id) if sharing else workflow, task, members)
    )


def _task(workflow: Workflow, task: Task, members: Members) -> Iterator[Finding]:
    length = _length(task)
    events = _events(workflow, task, members)
    about = {
        "dag_id": workflow.dag_id,
        "task_id": members[task.task_id][0].task_id if task.task_id in members else task.task_id,
        "attribute": "expand",
    }
    if not length:
        room = room_for(workflow, task, members)
        yield MAP_LENGTH.at(
            task.span,
            f"up to {room} instances fit into the execution's history, {_at_once(task)} at a time; with more "
            f"{task.task_id} fails with MapTooLongError",
            "nothing if there are never more; else map over batches of items",
            **about,
        )
    elif events * length > HISTORY - _EVENTS_OF_MACHINE:
        yield MAP_TOO_LONG.at(
            task.span,
            f"{length} instances write up to {events * length:,} events, an execution's history holds {HISTORY:,}",
            "map over batches of items",
            **about,
        )
    elif length > AT_ONCE == _at_once(task):
        yield MAP_AT_ONCE.at(
            task.span,
            f"{AT_ONCE} of the {length} instances run at a time",
            "nothing: Airflow too runs as many as its parallelism and its pools allow",
            **about,
        )


def _at_once(task: Task) -> int:
    return min(AT_ONCE, task.max_active or AT_ONCE)


def _mapped(workflow: Workflow) -> list[Task]:
    return [task for task in workflow.tasks if task.expansion]


def _length(task: Task) -> int | None:
    return task.expansion.length if task.expansion else None


def _events(workflow: Workflow, task: Task, members: Members) -> int:
    """Return the most events that one instance writes."""
    states = members.get(task.task_id, (task,))
    retries = sum(each.retry.attempts for each in states)
    pokes = sum(budget_of(workflow, each) for each in states if each.polling)
    return _EVENTS_PER_ITERATION + _EVENTS_PER_STATE * len(states) + _EVENTS_PER_RETRY * retries + pokes
