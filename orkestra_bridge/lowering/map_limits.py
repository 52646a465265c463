"""How many instances a mapped task may have, and what is said about it.

The history of an execution is one limit: where it has no room for all instances, each is an execution of its own, with a
history of its own (a distributed Map). The result of the Map is the other: all instances together leave 256 KiB.

Sources: AWS "Step Functions service quotas" (25,000 events in an execution's history, 256 KiB of a state's result),
"Using Map state in Inline mode" (40 concurrent iterations) and "in Distributed mode"; Airflow's
``[core] max_map_length``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from orkestra_bridge.lowering.poll_limits import HISTORY, budget_of, waiting_events
from orkestra_bridge.lowering.rules import MAP_AT_ONCE, MAP_DISTRIBUTED, MAP_LENGTH, MAP_TOO_LONG
from orkestra_bridge.lowering.task import SERVICE_ERRORS
from orkestra_bridge.runtime.mapping import RESULT_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Task, Workflow
    from orkestra_bridge.lowering.joining import Joins


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """The insides of mapped groups, by the id of the group.

    Attributes:
        tasks: The tasks of each.
        joins: The joins of those that have some.
    """

    tasks: Mapping[str, tuple[Task, ...]] = field(default_factory=dict)
    joins: Mapping[str, Joins] = field(default_factory=dict)

    def of(self, task: Task) -> tuple[Task, ...]:
        """Return the tasks of a mapped group, or the mapped task itself."""
        return self.tasks.get(task.task_id, (task,))

    def events_of_joins(self, task: Task) -> int:
        """Return the most events that the joins in one instance of a mapped task or group write."""
        joins = self.joins.get(task.task_id)
        if joins is None:
            return 0
        return _EVENTS_OF_JOIN * len(joins.waiting) + _EVENTS_OF_REPORT * joins.reports


NO_MEMBERS = Members()
NONE_DISTRIBUTED: frozenset[str] = frozenset()
AT_ONCE = 40
MAX_MAP_LENGTH = 1024
"""What a task may return to be mapped over; products of several arguments may be longer in Airflow."""
_EVENTS_PER_STATE = 5
"""An invocation: entered, scheduled, started, succeeded, exited."""
_EVENTS_PER_ITERATION = 4
"""Started and succeeded, and a Pass state entered and exited where the instance failed."""
_EVENTS_PER_RETRY = 3
_EVENTS_OF_JOIN = 16
_EVENTS_OF_REPORT = 5
"""`Wait before`, and then `Collect reports` or what the last report completes; each report by itself."""
_EVENTS_OF_MACHINE = 100
_EVENTS_OF_MAP = 6
"""A distributed Map: entered, started, its run started and succeeded, succeeded, exited."""
_BYTES_OF_PUSHING = 92
"""What is left of an instance in a distributed Map's result if its XCom is stored, or if it has failed."""
_BYTES_OF_SILENT = 44
_BYTES_OF_PLACE = 36
"""The map index and the number of tries, and around the task's id."""


def distributed_maps(workflow: Workflow, members: Members = NO_MEMBERS) -> frozenset[str]:
    """Return the ids of mapped tasks and groups whose instances do not fit into the history of one execution.

    A known length does not if the instances alone write more events; one that only the run knows does not if there may
    be more than there is room for. Of several that have to share, the one that writes most goes first.
    """
    chosen: set[str] = set()
    while True:
        tight = [
            task
            for task in _mapped(workflow)
            if task.task_id not in chosen
            and most_instances(task) > _inline_room(workflow, task, members, frozenset(chosen))
        ]
        if not tight:
            return frozenset(chosen)
        heaviest = max(tight, key=lambda task: most_instances(task) * _events(workflow, task, members))
        chosen.add(heaviest.task_id)


def most_instances(task: Task) -> int:
    """Return how many instances Airflow may make of a mapped task or group."""
    expansion = task.expansion
    return MAX_MAP_LENGTH if expansion is None else expansion.length or expansion.most or MAX_MAP_LENGTH


def room_for(
    workflow: Workflow,
    task: Task,
    members: Members = NO_MEMBERS,
    distributed: frozenset[str] = NONE_DISTRIBUTED,
) -> int:
    """Return the number of instances of a mapped task or group that there is room for, at most Airflow's own limit.

    In the history, what is left after all other tasks is shared evenly by the mapped ones whose length only the run
    knows, but for those that are ``distributed``: of these, as many as the Map's result has room for. ``members`` are the
    tasks of mapped groups, which the workflow has as one task each.
    """
    if task.task_id in distributed:
        return min(most_instances(task), room_in_result(task, members))
    return max(1, min(most_instances(task), _inline_room(workflow, task, members, distributed)))


def room_in_result(task: Task, members: Members = NO_MEMBERS) -> int:
    """Return how many instances the result of a distributed Map has room for, whatever they push."""
    return RESULT_BYTES // sum(instance_bytes(each, distributed=True) for each in members.of(task))


def instance_bytes(task: Task, *, distributed: bool) -> int:
    """Return the bytes that one instance of a task leaves in a Map's result, if its XComs are stored."""
    if distributed:
        return _BYTES_OF_SILENT if _is_silent(task) else _BYTES_OF_PUSHING
    return _BYTES_OF_PUSHING + _BYTES_OF_PLACE + len(task.task_id)


def _is_silent(task: Task) -> bool:
    """Return True if a task pushes nothing: other code than that of these operators may push by itself."""
    told = any(each.name == "do_xcom_push" and not each.value for each in task.attributes)
    return task.operator == "EmptyOperator" or (task.operator == "BashOperator" and told)


def _inline_room(workflow: Workflow, task: Task, members: Members, distributed: frozenset[str]) -> int:
    fitting = (
        _room_in_inline_result(task, members) if most_instances(task) > MAX_MAP_LENGTH else MAX_MAP_LENGTH
    )
    if _length(task):
        return min((HISTORY - _EVENTS_OF_MACHINE) // _most_events(workflow, task, members), fitting)
    inline = [other for other in workflow.tasks if other.task_id not in distributed]
    open_ended = [other for other in inline if other.expansion and not _length(other)]
    used = (
        _EVENTS_OF_MACHINE
        + _EVENTS_OF_MAP * len(distributed)
        + sum(_events(workflow, other, members) * (_length(other) or 1) for other in inline)
    )
    share = (HISTORY - used) // max(1, len(open_ended))
    return min(share // _events(workflow, task, members), fitting)


def _room_in_inline_result(task: Task, members: Members) -> int:
    """Return how many instances the result of an inline Map has room for: each has whole entries with the task's id."""
    states = members.of(task)
    return RESULT_BYTES // sum(instance_bytes(each, distributed=False) for each in states)


def check_mapping(
    workflow: Workflow,
    members: Members = NO_MEMBERS,
    sharing: Callable[[str], Workflow] | None = None,
    distributed: frozenset[str] = NONE_DISTRIBUTED,
    shares: Mapping[str, int] | None = None,
) -> tuple[Finding, ...]:
    """Return the findings about the lengths of mapped tasks and groups.

    The arguments are those of `room_for`; ``sharing`` gives the tasks that share a state machine with one of them, and
    ``shares`` the number of instances for which there is room in the ledger.
    """
    found: list[Finding] = []
    for task in _mapped(workflow):
        beside = sharing(task.task_id) if sharing and task.task_id not in distributed else workflow
        room = room_for(beside, task, members, distributed)
        room = min(room, (shares or {}).get(task.task_id, room))
        if task.task_id in distributed:
            found.extend(_distributed(workflow, task, members, room))
        else:
            found.extend(_inline(workflow, task, members, room))
    return tuple(found)


def _inline(workflow: Workflow, task: Task, members: Members, room: int) -> Iterator[Finding]:
    length = _length(task)
    if not length:
        yield MAP_LENGTH.at(
            task.span,
            f"up to {room} instances fit into an execution's history and state data, {_at_once(task)} at a time; "
            f"with more {task.task_id} fails with MapTooLongError",
            "nothing if there are never more; else map over batches of items",
            **_about(workflow, task, members),
        )
    elif length > AT_ONCE == _at_once(task):
        yield MAP_AT_ONCE.at(
            task.span,
            f"{AT_ONCE} of the {length} instances run at a time",
            "nothing: Airflow too runs as many as its parallelism and its pools allow",
            **_about(workflow, task, members),
        )


def _distributed(workflow: Workflow, task: Task, members: Members, room: int) -> Iterator[Finding]:
    length, most = _length(task), room_in_result(task, members)
    if length and length > most:
        yield MAP_TOO_LONG.at(
            task.span,
            f"{length:,} instances are more than the result of a distributed Map has room for: {most:,}",
            f"map over batches: lists of {math.ceil(length / most)} items make {_batches(length, most):,} instances",
            **_about(workflow, task, members),
        )
        return
    if length:
        events = _most_events(workflow, task, members) * length
        why = f"{length} instances write up to {events:,} events, an execution's history holds {HISTORY:,}"
    else:
        events = _events(workflow, task, members)
        bound = f"up to {room:,} instances"
        why = f"{bound} of up to {events} events each have no room in an execution's history, which holds {HISTORY:,}"
    yield MAP_DISTRIBUTED.at(
        task.span,
        f"each instance is an execution of its own, {_at_once(task)} at a time: {why}. Of one that fails, later tasks "
        "see the kind of error and no XComs",
        "nothing, but for two more state transitions per instance; else map over batches of items",
        **_about(workflow, task, members),
    )


def _batches(length: int, most: int) -> int:
    """Return how many batches there are if they are as small as ``most`` of them allow."""
    return math.ceil(length / math.ceil(length / most))


def _about(workflow: Workflow, task: Task, members: Members) -> dict[str, str]:
    return {"dag_id": workflow.dag_id, "task_id": members.of(task)[0].task_id, "attribute": "expand"}


def _at_once(task: Task) -> int:
    return min(AT_ONCE, task.max_active or AT_ONCE)


def _mapped(workflow: Workflow) -> list[Task]:
    return [task for task in workflow.tasks if task.expansion]


def _length(task: Task) -> int | None:
    return task.expansion.length if task.expansion else None


def _events(workflow: Workflow, task: Task, members: Members) -> int:
    """Return the most events that one instance writes."""
    states = members.of(task)
    retries = sum(each.retry.attempts for each in states)
    pokes = sum(
        budget_of(workflow, each) if each.polling else waiting_events(workflow, each) for each in states
    )
    own = _EVENTS_PER_STATE * len(states) + _EVENTS_PER_RETRY * retries
    return _EVENTS_PER_ITERATION + own + pokes + members.events_of_joins(task)


def _most_events(workflow: Workflow, task: Task, members: Members) -> int:
    """Return the most events of one instance if each call of its functions meets errors of Lambda's, too.

    A known number of instances is held to that, as a whole machine is (`asl/measure.py`).
    """
    calls = _EVENTS_PER_RETRY * SERVICE_ERRORS.attempts * len(members.of(task))
    return _events(workflow, task, members) + calls
