"""Questions about the order of tasks, answered with bit masks; the tests compare them with networkx."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from orkestra_bridge.ir.model import Task


@final
@dataclass(frozen=True, slots=True)
class Order:
    """A partial order of tasks as bit masks: bit i of a mask stands for ``names[i]``.

    Attributes:
        names: Task ids in topological order.
        above: For each task, all that must finish before it.
        below: For each task, all that must wait for it.
        covers: The edges of the transitive reduction, as pairs of indices.
    """

    names: tuple[str, ...]
    above: tuple[int, ...]
    below: tuple[int, ...]
    covers: tuple[tuple[int, int], ...]

    @property
    def everything(self) -> int:
        """The mask of all tasks."""
        return (1 << len(self.names)) - 1


def bits(mask: int) -> Iterable[int]:
    """Yield the indices of the bits that are set, lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def components(mask: int, neighbours: Callable[[int], int]) -> list[int]:
    """Return the connected parts of the tasks in the mask, the one with the earliest task first."""
    parts = []
    rest = mask
    while rest:
        part = frontier = rest & -rest
        while frontier:
            reached = 0
            for i in bits(frontier):
                reached |= neighbours(i)
            frontier = reached & rest & ~part
            part |= frontier
        parts.append(part)
        rest &= ~part
    return parts


def order_of(names: tuple[str, ...], upstream: dict[str, tuple[str, ...]]) -> Order:
    """Return the order that the edges span. ``names`` must be topologically sorted."""
    index = {name: i for i, name in enumerate(names)}
    return order_of_masks(names, [mask_of(index[parent] for parent in upstream[name]) for name in names])


def mask_of(indices: Iterable[int]) -> int:
    """Return the mask with these bits set."""
    mask = 0
    for index in indices:
        mask |= 1 << index
    return mask


def order_of_masks(names: tuple[str, ...], parents: Sequence[int]) -> Order:
    """Return the order that the edges span; ``parents`` has for each name, topologically sorted, those it comes after.

    The transitive reduction falls out of the closure: u covers v unless another upstream of v is below u.
    """
    above = [0] * len(names)
    covers: list[tuple[int, int]] = []
    for position, direct in enumerate(parents):
        implied = 0
        for parent in bits(direct):
            implied |= above[parent]
        covers += [(parent, position) for parent in bits(direct & ~implied)]
        above[position] = direct | implied
    below = [0] * len(names)
    for parent, position in reversed(covers):  # all that is below a task is known before the task's own turn
        below[parent] |= 1 << position | below[position]
    return Order(names, tuple(above), tuple(below), tuple(covers))


def task_order(tasks: tuple[Task, ...]) -> Order:
    """Return the order of a workflow's tasks."""
    return order_of(tuple(task.task_id for task in tasks), {task.task_id: task.upstream for task in tasks})
