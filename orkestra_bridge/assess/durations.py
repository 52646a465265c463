"""How long tasks took, from a file that Airflow's database or API filled: CSV with a header, or a JSON list of objects.

Each row has dag_id, task_id, and the seconds as ``seconds``, ``duration`` or ``avg_duration``; of several rows for a task
the mean counts.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from statistics import fmean
from typing import TYPE_CHECKING, Any

from orkestra_bridge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_REMEDY = "see docs/how-to/costs.md for the query that makes such a file"
_NAMES = ("seconds", "duration", "avg_duration")


def read_durations(file: Path | None) -> Mapping[tuple[str, str], float]:
    """Return the mean seconds by (dag_id, task_id), nothing without a file; raises UsageError for another content."""
    if file is None:
        return {}
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for number, row in enumerate(_rows(file), 1):
        task, seconds = _entry(file, number, row)
        found[task].append(seconds)
    return {task: fmean(values) for task, values in found.items()}


def _entry(file: Path, number: int, row: Any) -> tuple[tuple[str, str], float]:
    try:
        value = next(row[name] for name in _NAMES if row.get(name) not in (None, ""))
        return (str(row["dag_id"]), str(row["task_id"])), float(value)
    except (StopIteration, KeyError, TypeError, ValueError, AttributeError) as problem:
        raise UsageError(
            f"{file}: row {number} has no dag_id, task_id and {' or '.join(_NAMES)} in seconds",
            remedy=_REMEDY,
        ) from problem


def _rows(file: Path) -> Iterator[Any]:
    try:
        text = file.read_text(encoding="utf-8-sig")
        document = json.loads(text) if file.suffix.lower() == ".json" else None
    except (OSError, ValueError) as problem:
        raise UsageError(f"{file} cannot be read: {problem}", remedy="give a CSV or JSON file") from problem
    if document is None:
        rows = csv.DictReader(text.splitlines())
        if not {"dag_id", "task_id"} <= set(rows.fieldnames or ()):
            raise UsageError(
                f"{file}: the first line does not name dag_id, task_id and seconds", remedy=_REMEDY
            )
        return iter(rows)
    listed = document.get("task_instances") if isinstance(document, dict) else document
    if not isinstance(listed, list):
        raise UsageError(f"{file} has no list of task instances", remedy=_REMEDY)
    return iter(listed)
