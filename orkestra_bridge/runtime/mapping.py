"""Mapped tasks in the ledger, and the handler's two steps for them.

A task has one of three entries:

``{"state": ..., "tries": ..., "at": ...}``
    One task instance, and when it ended, in milliseconds since 1970; of a task that did not run, when Airflow would have
    decided that. ``was`` has state and time of what a skip came over. In a mapped task group, while an instance of the
    group runs, it carries its ``map_index``. A mapped task has such an entry, without map index, if it was not expanded:
    skipped, upstream_failed or failed as a whole.
``{"length": n, "share": bytes}``
    A mapped task that has been expanded into n instances, which have not all finished; each may leave so many bytes.
    Where parts put away what their tasks leave, there is no share.
``{"execution": name, "instances": [{"state": ..., "tries": ..., "at": ..., "map_index": 0, ...}, ...]}``
    A mapped task, or a task of a mapped task group, whose instances have finished, in the order of their map indexes.
    Where they ran in executions of their own, ``tries`` of 1 and the map indexes are left out. The name is that of the
    execution of the whole run, for XComs that are stored (`large.py`).

The machine first asks the handler to *expand* the task (``"expand"`` in the event), unless its length was known when the
DAG was converted, and then runs the instances, each of which finds its own item in the ledger: items are never copied.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.errors import MapTooLongError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


RESULT_BYTES = 220_000
"""Bytes for what all instances of a mapped task leave: a Map's result has 262,144, and so has the ledger after it."""


ROOM_OF_MAPS = 163_840
"""Bytes of the ledger for the instances of all mapped tasks whose length only the run knows."""


def most_instances(asked: Mapping[str, Any], ledger: Mapping[str, Any]) -> int:
    """Return how many instances the state machine has room for.

    Args:
        asked: ``expand`` of the event: ``limit``; and ``ledger`` where the ``room`` there is shared with the instances of
            the tasks ``after`` which this one runs, with the bytes of ``each``.
        ledger: What those have left.
    """
    limit: int = asked["limit"]
    if "ledger" not in asked:
        return limit
    share = asked["ledger"]
    return max(0, min(limit, _room_left(share, ledger) // int(share["each"])))


def with_share(entry: dict[str, Any], asked: Mapping[str, Any], ledger: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry of a mapped task with what each instance may leave: the next ones in the ledger's room want some.

    The arguments are those of `most_instances`.
    """
    if "length" not in entry or "ledger" not in asked:
        return entry
    share = asked["ledger"]
    return {**entry, "share": _room_left(share, ledger) // share["sharers"] // entry["length"]}


def _room_left(share: Mapping[str, Any], ledger: Mapping[str, Any]) -> int:
    room: int = share["room"] - left_by(ledger, share["after"])
    return room


def left_by(ledger: Mapping[str, Any], names: Iterable[str]) -> int:
    """Return the bytes that the ledger has of the instances of these tasks, of those that have finished."""
    finished = (ledger[name] for name in names if "instances" in ledger.get(name, {}))
    return sum(len(json.dumps(entry, separators=(",", ":"))) for entry in finished)


def instances_of(entry: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the finished task instances of an entry: all of a mapped task, one of any other, none of an expanded one."""
    if "instances" in entry:
        instances: Sequence[Mapping[str, Any]] = entry["instances"]
        return instances
    return [entry] if "state" in entry else []


def resumed(entry: Mapping[str, Any] | None, map_index: int) -> Mapping[str, Any] | None:
    """Return what an earlier run left for this instance (the whole entry for map index -1), None if it has to run."""
    if not entry or map_index < 0:
        return entry or None
    found = [one for one in instances_of(entry) if one.get("map_index", map_index) == map_index]
    return {**found[0], "map_index": map_index} if found else None


def expanded(length: int | None, limit: int) -> dict[str, Any]:
    """Return the entry of a mapped task that may run.

    Args:
        length: The number of instances, None if a task that it is expanded over returned nothing to map.
        limit: The number of instances that the state machine has room for.

    Raises:
        MapTooLongError: If there are more.
    """
    # `expand_mapped_task` of Airflow: no values at all count as a failure further up, no items as nothing to do.
    if length is None:
        return {"state": "upstream_failed", "tries": 0}
    if length < 1:
        return {"state": "skipped", "tries": 0}
    if length > limit:
        raise MapTooLongError(
            f"the task expands into {length} instances, and this state machine has room for {limit}; "
            "map over batches of items instead of single ones"
        )
    return {"length": length}


def expanded_over(
    task: Mapping[str, Any], workflow: Mapping[str, Any], ledger: Mapping[str, Any]
) -> list[str]:
    """Return the tasks with a single instance that a mapped task, or the mapped group around a task, is expanded over.

    Whatever the trigger rule, they must not have failed or been skipped (`MappedTaskUpstreamDep`); instances of mapped
    ones may have, for those that succeeded are mapped over.
    """
    sources = (task.get("expansion") or _group_of(task, workflow)).get("over", ())
    return [name for name in sources if "state" in ledger.get(name, {})]


def _group_of(task: Mapping[str, Any], workflow: Mapping[str, Any]) -> Mapping[str, Any]:
    groups = workflow.get("mapped_groups", ())
    found = (group["expansion"] for group in groups if group["group_id"] == task.get("mapped_group"))
    return next(found, {})


def skipping_tasks(
    task: Mapping[str, Any], ledger: Mapping[str, Any], map_index: int, *, major: int
) -> list[Mapping[str, Any]]:
    """Return the entries of the tasks above that decided to skip this instance.

    A task with one instance skips whatever it names. Mapped instances are reached by a few of these decisions only
    (`SkipMixin` and `NotPreviouslySkippedDep`): in Airflow 2 a short circuit reaches all of them, a branch none, and a
    mapped branch or short circuit those of its direct downstream tasks with its own map index; in Airflow 3 both reach
    the instances of direct downstream tasks, and mapped ones reach nothing.
    """
    named = [name for name, entry in ledger.items() if task["task_id"] in entry.get("skip", ())]
    single = [name for name in named if "map_index" not in ledger[name]]
    if map_index < 0:
        return [ledger[name] for name in single]
    if major > 2:
        return [ledger[name] for name in single if name in task["upstream"]]
    above = [_with_index(ledger[name], map_index) for name in task["upstream"]]
    mapped = [entry for entry in above if "map_index" in entry and task["task_id"] in entry.get("skip", ())]
    return mapped + [ledger[name] for name in single if not _is_branch(ledger[name])]


def _with_index(entry: Mapping[str, Any], map_index: int) -> Mapping[str, Any]:
    return next((one for one in instances_of(entry) if one.get("map_index") == map_index), {})


def _is_branch(entry: Mapping[str, Any]) -> bool:
    return "followed" in entry.get("xcom", {}).get("skipmixin_key", {})
