"""A nesting as text: indentation is depth, and what the nesting cannot say is named below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.lowering.regions import Leaf, Part, Region, Series, inside_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.lowering.regions import Decomposition


def nesting_text(decomposition: Decomposition, region: Region | None = None) -> str:
    """Return the text form, ending with a newline; ``region`` is the nesting with its parts, if it has been cut.

    ::

        series
          extract
          parallel
            load
            notify
        relaxed: extract -> audit

    A relaxed edge is one that a join enforces at run time; with barriers there are added waits instead.
    """
    lines = [*_lines(region or decomposition.region, "")]
    lines += [
        f"added wait: {wait.task_id} waits for {', '.join(wait.waits_for)}" for wait in decomposition.waits
    ]
    lines += [f"relaxed: {before} -> {after}" for before, after in decomposition.relaxed]
    return "\n".join(lines) + "\n"


def placement_text(workflow: Workflow) -> str:
    """Return a line for each task that runs in a container, with the reason, or has packages of its own."""
    contained = (
        f"in a container: {task.task_id} ({task.container.reason})\n"
        for task in workflow.tasks
        if task.container is not None
    )
    packed = (
        f"with packages of its own: {task.task_id} ({task.packages.file})\n"
        for task in workflow.tasks
        if task.packages is not None
    )
    return "".join((*contained, *packed))


def _lines(region: Region, indent: str) -> Iterator[str]:
    if isinstance(region, Leaf):
        yield f"{indent}{region.task_id}"
        return
    heading = f"part {region.number}" if isinstance(region, Part) else ""
    yield f"{indent}{heading or ('series' if isinstance(region, Series) else 'parallel')}"
    for part in inside_of(region):
        yield from _lines(part, f"{indent}  ")
