"""Where the boxes of a DAG's picture stand: columns by depth, rows by the rows of their upstreams (Sugiyama's method)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orkestra_bridge.assess.model import TaskView

BOX = (168, 34)
GAP = (46, 14)
_SWEEPS = 4


@final
@dataclass(frozen=True, slots=True)
class Layout:
    """Corners of the boxes by task id, and the size of the whole, in pixels."""

    places: dict[str, tuple[float, float]]
    width: float
    height: float


def layout(tasks: Sequence[TaskView]) -> Layout:
    """Return the places of tasks, which stand in topological order."""
    depth: dict[str, int] = {}
    for task in tasks:
        depth[task.task_id] = 1 + max((depth[above] for above in task.upstream if above in depth), default=-1)
    columns: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for task in tasks:
        columns[depth[task.task_id]].append(task.task_id)
    _reorder(columns, tasks)
    tallest = max((len(column) for column in columns), default=0)
    step = (BOX[0] + GAP[0], BOX[1] + GAP[1])
    places: dict[str, tuple[float, float]] = {
        task_id: (number * step[0], (row + (tallest - len(column)) / 2) * step[1])
        for number, column in enumerate(columns)
        for row, task_id in enumerate(column)
    }
    return Layout(places, max(0, len(columns) * step[0] - GAP[0]), max(0, tallest * step[1] - GAP[1]))


def _reorder(columns: list[list[str]], tasks: Sequence[TaskView]) -> None:
    """Sort each column by the mean row of the neighbours, forth and back, so that fewer edges cross."""
    above = {task.task_id: task.upstream for task in tasks}
    below: dict[str, list[str]] = {task.task_id: [] for task in tasks}
    for task in tasks:
        for parent in task.upstream:
            below[parent].append(task.task_id)
    for sweep in range(_SWEEPS):
        neighbours = above if sweep % 2 == 0 else below
        rows = _rows(columns)
        for column in columns if sweep % 2 == 0 else reversed(columns):
            means = {
                each: sum(rows[other] for other in neighbours[each]) / len(neighbours[each])
                if neighbours[each]
                else rows[each]
                for each in column
            }
            column.sort(key=means.__getitem__)
            rows.update(_rows([column]))


def _rows(columns: list[list[str]]) -> dict[str, float]:
    """Return the row of each task, from the middle of its column."""
    return {task_id: row - (len(column) - 1) / 2 for column in columns for row, task_id in enumerate(column)}
