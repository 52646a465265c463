"""Nesting with barriers: what does not nest is cut in two, and the second half waits for the whole first half."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.ir.graph import bits, components
from orkestra_bridge.lowering.regions import DEPTH, Leaf, Parallel, Series, Wait

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orkestra_bridge.ir.graph import Order
    from orkestra_bridge.lowering.regions import Region

_FEW_TASKS = 64
"""Up to here all cuts are compared; beyond, the levels alone, so that 1,000 tasks take a second and not a minute."""

_Cuts = list[tuple[int, int]]


def with_barriers(order: Order) -> tuple[Region, tuple[Wait, ...]]:
    """Return the nesting, and the waits that the order does not have."""
    cuts: _Cuts = []
    region = _nest(order, order.everything, DEPTH, cuts)
    return region, _added_waits(order, cuts)


def _nest(order: Order, mask: int, depth: int, cuts: _Cuts) -> Region:
    if _single(mask):
        return Leaf(order.names[mask.bit_length() - 1])
    branches = _side_by_side(order, mask)
    if len(branches) == 1:
        return _series(order, _chain(order, mask, cuts), depth, cuts)
    if depth > 1 or all(map(_single, branches)):
        return Parallel(tuple(_nest(order, branch, depth - 1, cuts) for branch in branches))
    return _series(order, _by_levels(order, mask, cuts), depth, cuts)


def _series(order: Order, parts: list[int], depth: int, cuts: _Cuts) -> Region:
    inner = [_nest(order, part, depth, cuts) for part in parts]
    return Series(tuple(item for one in inner for item in (one.items if isinstance(one, Series) else (one,))))


def _by_levels(order: Order, mask: int, cuts: _Cuts) -> list[int]:
    """Return the levels of the order; what is nested too deeply runs level by level."""
    done, steps = 0, []
    for level in _levels(order, mask):
        steps.append(level & ~done)
        cuts.append((level, mask & ~level))
        done = level
    return steps


def _chain(order: Order, mask: int, cuts: _Cuts) -> list[int]:
    """Return the parts of a Series in order, each a single task or a Parallel; cut what is prime until it is one."""
    done: list[int] = []
    todo = [mask]
    while todo:
        part = todo.pop()
        if _single(part) or len(_side_by_side(order, part)) > 1:
            done.append(part)
            continue
        steps = components(part, lambda i: ~(order.above[i] | order.below[i]))
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
    return components(mask, lambda i: order.above[i] | order.below[i])


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


def _added_waits(order: Order, cuts: _Cuts) -> tuple[Wait, ...]:
    extra = [0] * len(order.names)
    for first, second in cuts:
        for i in bits(second):
            extra[i] |= first & ~order.above[i]
    return tuple(
        Wait(order.names[i], tuple(order.names[j] for j in bits(mask)))
        for i, mask in enumerate(extra)
        if mask
    )
