"""A DAG as an inline SVG picture, each task coloured by how it runs."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from orkestra_bridge.assess.layout import BOX, layout
from orkestra_bridge.assess.words import RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orkestra_bridge.assess.model import DagAssessment, TaskView

_MARGIN = 8
_LETTERS = 22
"""As many of an id as fit into a box."""


def svg(dag: DagAssessment) -> str:
    """Return the picture; colours come from the page's style sheet, by the class of a box."""
    plan = layout(dag.tasks)
    width, height = plan.width + 2 * _MARGIN, plan.height + 2 * _MARGIN
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    label = escape(f"Graph of {dag.dag_id}")
    parts = [f'<svg {size} role="img" aria-label="{label}"><g transform="translate({_MARGIN} {_MARGIN})">']
    parts += _edges(dag, plan.places)
    troubled = {finding.task_id for finding in dag.blockers}
    parts += [_box(task, plan.places[task.task_id], troubled=task.task_id in troubled) for task in dag.tasks]
    return "".join([*parts, "</g></svg>"])


def _edges(dag: DagAssessment, places: dict[str, tuple[float, float]]) -> Iterator[str]:
    for task in dag.tasks:
        x2, y2 = places[task.task_id]
        for above in task.upstream:
            x1, y1 = places[above]
            start, end = (x1 + BOX[0], y1 + BOX[1] / 2), (x2, y2 + BOX[1] / 2)
            middle = (start[0] + end[0]) / 2
            yield (
                f'<path class="edge" d="M{start[0]:g} {start[1]:g}C{middle:g} {start[1]:g} '
                f'{middle:g} {end[1]:g} {end[0]:g} {end[1]:g}"/>'
            )


def _box(task: TaskView, place: tuple[float, float], *, troubled: bool) -> str:
    name = task.task_id if len(task.task_id) <= _LETTERS else f"…{task.task_id[1 - _LETTERS :]}"
    mark = " trouble" if troubled else ""
    how = f"{task.task_id}: {task.operator}, {RUNS.get(task.runs, task.runs)} ({task.place})"
    stack = ""
    if task.mapped:  # a second box behind it, as Airflow draws mapped tasks
        stack = f'<rect class="behind" x="4" y="4" width="{BOX[0]}" height="{BOX[1]}" rx="5"/>'
    return (
        f'<g class="task {escape(task.runs)}{mark}" transform="translate({place[0]:g} {place[1]:g})">'
        f"<title>{escape(how)}</title>{stack}"
        f'<rect width="{BOX[0]}" height="{BOX[1]}" rx="5"/>'
        f'<text x="{BOX[0] / 2:g}" y="{BOX[1] / 2 + 4:g}">{escape(name)}</text></g>'
    )
