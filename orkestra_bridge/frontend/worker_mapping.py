"""What mapped tasks and mapped task groups are expanded over, and how far that is known while parsing.

Part of the worker program: standard library and Airflow only, Python 3.8 and later.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_MAP_LENGTH = 1024
"""Airflow's default of ``[core] max_map_length``: of what a task returns to be mapped over."""


def mapping_of(expand_input: Any) -> dict[str, Any]:
    """Return an expand input as the fields of `Expansion`."""
    over = {operator.task_id for operator, _key in expand_input.iter_references()}
    value = expand_input.value
    return {"over": sorted(over), "length": _length(value), "most": _most(value)}


def _length(value: Any) -> int | None:
    """Return how many instances there will be, None if a task has to run first to know it.

    The arguments of ``expand`` are a dict of lists, whose cross product is taken; those of ``expand_kwargs`` a list of
    dicts (`get_parse_time_mapped_ti_count` in `airflow/models/expandinput.py`).
    """
    if not isinstance(value, dict):
        return len(value) if isinstance(value, (list, tuple)) else None
    lengths = [len(items) if _is_literal(items) else None for items in value.values()]
    known = [length for length in lengths if length is not None]
    return reduce(lambda one, other: one * other, known, 1) if len(known) == len(lengths) else None


def _most(value: Any) -> int | None:
    """Return how many instances a product has at most of which an argument is not known, None for any other value."""
    if not isinstance(value, dict) or len(value) < 2 or all(map(_is_literal, value.values())):
        return None
    lengths = [len(items) if _is_literal(items) else MAX_MAP_LENGTH for items in value.values()]
    return reduce(lambda one, other: one * other, lengths, 1)


def _is_literal(value: Any) -> bool:
    return hasattr(value, "__len__") and not hasattr(value, "resolve")


def limit_at_once(task: Any) -> int | None:
    """Return how many instances of a task may run at once in one run, by either of Airflow's two limits."""
    names = ("max_active_tis_per_dag", "max_active_tis_per_dagrun")
    limits = [getattr(task, name, None) for name in names]
    return min((int(limit) for limit in limits if limit is not None), default=None)


def mapped_groups(tasks: Iterable[Any]) -> list[dict[str, Any]]:
    """Return the mapped task groups around tasks as the fields of `MappedGroup`."""
    found: dict[str, dict[str, Any]] = {}
    for task in tasks:
        around = list(task.iter_mapped_task_groups())  # innermost first
        for group, parent in zip(around, [*around[1:], None]):
            found[group.group_id] = {
                "group_id": group.group_id,
                "expansion": mapping_of(group._expand_input),
                "parent": parent.group_id if parent is not None else None,
            }
    return [found[group_id] for group_id in sorted(found)]
