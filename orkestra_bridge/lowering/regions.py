"""A partial order of tasks -> nested Series and Parallel, which is all that ASL can express.

    a -> b, a -> c, b -> d, c -> d      becomes      Series(a, Parallel(b, c), d)

A set of tasks whose incomparability graph falls apart runs in Series; one that no edge holds together runs in Parallel.
That reaches every series-parallel order exactly. What is left does not nest: it contains an N (a -> c, a -> d, b -> d).
Either some of its edges are left to joins at run time (`splitting`), which changes nothing about the order, or a barrier
cuts it in two (`barrier`), and every task that then waits for more than it depends on is named in the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, final

if TYPE_CHECKING:
    from orkestra_bridge.ir.graph import Order
    from orkestra_bridge.options import Joins


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


@final
@dataclass(frozen=True, slots=True)
class Part:
    """A region that runs in a state machine of its own; ``number`` counts from 1."""

    number: int
    region: Region


Region: TypeAlias = Leaf | Series | Parallel | Part

DEPTH = 24
"""Parallel states inside of each other, at most: each is four levels of JSON, and parsers stop somewhere."""


@final
@dataclass(frozen=True, slots=True)
class Wait:
    """A task that a barrier makes wait for tasks it does not depend on."""

    task_id: str
    waits_for: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True)
class Decomposition:
    """The nested structure, and where it differs from the order.

    Attributes:
        waits: What barriers add to the order.
        relaxed: Edges (before, after) of the order that the structure leaves to joins.
    """

    region: Region
    waits: tuple[Wait, ...] = ()
    relaxed: tuple[tuple[str, str], ...] = ()


def decompose(order: Order, joins: Joins = "token") -> Decomposition:
    """Return the nesting of a non-empty order; it differs from the order only if that is not series-parallel.

    ``joins`` says what becomes of an order that does not nest: ``token`` relaxes edges, ``barrier`` adds waits.
    """
    from orkestra_bridge.lowering.barrier import with_barriers
    from orkestra_bridge.lowering.splitting import with_relaxed_edges

    if joins == "barrier":
        region, waits = with_barriers(order)
        return Decomposition(region, waits=waits)
    region, relaxed = with_relaxed_edges(order)
    return Decomposition(region, relaxed=relaxed)


def inside_of(region: Region) -> tuple[Region, ...]:
    """Return the regions directly inside of one, in reading order; none of a single task."""
    match region:
        case Series():
            return region.items
        case Parallel():
            return region.branches
        case Part():
            return (region.region,)
        case Leaf():
            return ()


def task_ids(region: Region) -> tuple[str, ...]:
    """Return the ids of all tasks of a region, in reading order."""
    if isinstance(region, Leaf):
        return (region.task_id,)
    return tuple(task_id for part in inside_of(region) for task_id in task_ids(part))


def masks_before(order: Order, region: Region) -> list[int]:
    """Return for each task the mask of those that the nesting makes it wait for."""
    index = {name: i for i, name in enumerate(order.names)}
    before = [0] * len(index)

    def inside(part: Region, earlier: int) -> int:
        if isinstance(part, Leaf):
            before[index[part.task_id]] = earlier
            return 1 << index[part.task_id]
        mask = 0
        for item in inside_of(part):
            mask |= inside(item, earlier | mask if isinstance(part, Series) else earlier)
        return mask

    inside(region, 0)
    return before
