"""Mapped tasks while they run: how many instances there are, which task each is, and what may be mapped over."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.context import rebind
from orkestra_bridge.runtime.large import large_xcoms
from orkestra_bridge.runtime.mapping import expanded, most_instances, with_share
from orkestra_bridge.runtime.verdict import major_version, verdict_of
from orkestra_bridge.runtime.xcoms import XComs

if TYPE_CHECKING:
    from orkestra_bridge.runtime.context import TaskContext

log = logging.getLogger("airflow.task")

MAX_MAP_LENGTH = 1024
"""Airflow's default of ``[core] max_map_length``."""


def expand(dag: Any, manifest: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry of a mapped task that may run: its length, or its end if there is nothing to run.

    Raises:
        MapTooLongError: If there are more instances than ``event["expand"]`` allows.
    """
    xcoms = _xcoms(manifest["workflow"], event)
    task = dag.get_task(event["task_id"])
    asked, ledger = event["expand"], event.get("ledger") or {}
    return with_share(expanded(task.expand_input.length(xcoms), most_instances(asked, ledger)), asked, ledger)


def expand_group(dag: Any, manifest: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of the tasks of a mapped group, by task id: each is expanded, or ends, by itself.

    Raises:
        MapTooLongError: If there are more instances than ``event["expand"]`` allows.
    """
    workflow = manifest["workflow"]
    ledger = dict(event.get("ledger") or {})
    kept = (event.get("run") or {}).get("ledger") or {}
    group = dag.task_group_dict[event["task_id"]]
    length = group._expand_input.length(_xcoms(workflow, event))
    limit = most_instances(event["expand"], ledger)
    members = sum(1 for task in workflow["tasks"] if task.get("mapped_group") == group.group_id)
    entries: dict[str, Any] = {}
    for task in workflow["tasks"]:
        task_id = task["task_id"]
        if task.get("mapped_group") == group.group_id:
            entry = kept.get(task_id) or _of_member(task_id, workflow, ledger, length, limit)
            entry = with_share(entry, event["expand"], ledger)
            if "share" in entry:
                entry["share"] //= members
            entries[task_id] = ledger[task_id] = entry
    return entries


def _xcoms(workflow: Mapping[str, Any], event: Mapping[str, Any]) -> XComs:
    large = large_xcoms(workflow, event)
    return XComs(event.get("ledger") or {}, major=major_version(workflow), large=large)


def _of_member(
    task_id: str, workflow: Mapping[str, Any], ledger: Mapping[str, Any], length: int | None, limit: int
) -> dict[str, Any]:
    # Tasks of the group that have been expanded have no state yet: the instances look at those themselves.
    verdict = verdict_of(task_id, workflow, ledger)
    return expanded(length, limit) if verdict.decision == "run" else verdict.entry()


def unmapped(task: Any, context: TaskContext) -> Any:
    """Return the task that this instance runs: of a mapped task, the one with the arguments of its map index.

    Raises:
        Exception: What a function given to ``map()`` raises, or the operator for arguments that it does not take.
    """
    if not task.is_mapped:
        return task
    made = task.unmap(context)
    rebind(context, made)
    return made


def name_instance(task: Any, context: TaskContext) -> None:
    """Log the name that ``map_index_template`` gives to this instance; raises what the template raises."""
    template = context["map_index_template"]
    if template is not None:
        log.info("Map index rendered as %s", task.get_template_env().from_string(template).render(context))


def check_mappable(value: Any, task: Any) -> None:
    """Return if the value may be pushed, also where other tasks are expanded over it.

    Raises:
        XComForMappingNotPushed: If it is None.
        UnmappableXComTypePushed: If it is neither a dict nor a sequence other than text.
        UnmappableXComLengthPushed: If it has more items than ``[core] max_map_length``.
    """
    # Instances of a mapped task are mapped over together, whatever each of them returns.
    if task._from_mapped or next(iter(task.iter_mapped_dependants()), None) is None:
        return
    errors = importlib.import_module("airflow._impl.exceptions")
    if value is None:
        raise errors.XComForMappingNotPushed
    if not isinstance(value, (Sequence, dict)) or isinstance(value, (str, bytes, bytearray)):
        raise errors.UnmappableXComTypePushed(value)
    conf = importlib.import_module("airflow._impl.configuration").conf
    longest = conf.getint("core", "max_map_length", fallback=MAX_MAP_LENGTH)
    if len(value) > longest:
        raise errors.UnmappableXComLengthPushed(value, longest)
