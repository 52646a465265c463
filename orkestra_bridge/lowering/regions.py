"""A partial order of tasks -> nested Series and Parallel, which is all that ASL can express.

    a -> b, a -> c, b -> d, c -> d      becomes      Series(a, Parallel(b, c), d)

A set of tasks whose comparability graph falls apart runs in Parallel; one whose incomparability graph falls apart runs
in Series. Together they reach every series-parallel order exactly. What is left is prime: it contains an N (a -> c,
a -> d, b -> d) and does not nest. A barrier cuts it in two, so that the second half waits for the whole first half; every
task that waits for more than it depends on is named in the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, final

from orkestra_bridge.ir.graph import bits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orkestra_bridge.ir.graph import Order


@final
@dataclass(frozen=True, slots=True)
class Leaf:
    """One task."""

    task_id: str


@final
@dataclass(frozen=True, slots=True)
class Series:
    """Items one after the other; no item is a Series itself."""

    items: tuple[Region, ...]


@final
@dataclass(frozen=True, slots=True)
class Parallel:
    """Branches side by side; no branch is a Parallel itself."""

    branches: tuple[Region, ...]


Region: TypeAlias = Leaf | Series | Parallel

_FEW_TASKS = 64
"""Up to here all cuts are compared; beyond, the levels alone, so that 1,000 tasks take a second and not a minute."""


@final
@dataclass(frozen=True, slots=True)
class Wait:
    """A task that a barrier makes wait for tasks it does not depend on."""

    task_id: str
    waits_for: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True)
class Decomposition:
    """The nested structure, and the waits that the DAG does not have."""

    region: Region
    waits: tuple[Wait, ...]


def decompose(order: Order) -> Decomposition:
    """Return the nesting of a non-empty order; ``waits`` is empty if the order is series-parallel."""
    cuts: list[tuple[int, int]] = []
    region = _nest(order, order.everything, cuts)
    return Decomposition(region, _added_waits(order, cuts))


def _nest(order: Order, mask: int, cuts: list[tuple[int, int]]) -> Region:
    if _single(mask):
        return Leaf(order.names[mask.bit_length() - 1])
    branches = _side_by_side(order, mask)
    if len(branches) > 1:
        return Parallel(tuple(_nest(order, branch, cuts) for branch in branches))
    return Series(tuple(_nest(order, part, cuts) for part in _chain(order, mask, cuts)))


def _chain(order: Order, mask: int, cuts: list[tuple[int, int]]) -> list[int]:
    """Return the parts of a Series in order, each a single task or a Parallel; cut what is prime until it is one."""
    done: list[int] = []
    todo = [mask]
    while todo:
        part = todo.pop()
        if _single(part) or len(_side_by_side(order, part)) > 1:
            done.append(part)
            continue
        steps = _components(part, lambda i: ~(order.above[i] | order.below[i]))
        if len(steps) == 1:
            steps = list(_best_cut(order, part))
            cuts.append((steps[0], steps[1]))
        else:
            steps.sort(key=lambda step: min((order.above[i] & mask).bit_count() for i in bits(step)))
        todo.extend(reversed(steps))
    return done


def _single(mask: int) -> bool:
    return mask & (mask - 1) == 0


def _side_by_side(order: Order, mask: int) -> list[int]:
    return _components(mask, lambda i: order.above[i] | order.below[i])


def _components(mask: int, neighbours: Callable[[int], int]) -> list[int]:
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


def _best_cut(order: Order, mask: int) -> tuple[int, int]:
    """Return the split into first and second half that makes the fewest pairs of tasks wait.

    Candidates are the levels of the order and, where there are few tasks, everything that is not below each of them.
    """
    candidates = set(_levels(order, mask))
    if mask.bit_count() <= _FEW_TASKS:
        candidates |= {mask & ~order.below[i] & ~(1 << i) for i in bits(mask)}
    halves = sorted(half for half in candidates if half and half != mask)
    best = min(halves, key=lambda half: _cost(order, half, mask & ~half))
    return best, mask & ~best


def _levels(order: Order, mask: int) -> Iterable[int]:
    done = 0
    while done != mask:
        done |= sum(1 << i for i in bits(mask & ~done) if not order.above[i] & mask & ~done)
        yield done


def _cost(order: Order, first: int, second: int) -> int:
    return sum((first & ~order.above[i]).bit_count() for i in bits(second))


def _added_waits(order: Order, cuts: list[tuple[int, int]]) -> tuple[Wait, ...]:
    extra = [0] * len(order.names)
    for first, second in cuts:
        for i in bits(second):
            extra[i] |= first & ~order.above[i]
    return tuple(
        Wait(order.names[i], tuple(order.names[j] for j in bits(mask)))
        for i, mask in enumerate(extra)
        if mask
    )
