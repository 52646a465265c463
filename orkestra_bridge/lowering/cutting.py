"""Cuts what is too large for one state machine into parts, each with a state machine of its own.

Where things run one after the other, parts are consecutive items; where they run side by side, parts are groups of
branches. So no part waits for anything that its tasks would not have waited for together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, final

from orkestra_bridge.lowering.regions import Leaf, Parallel, Part, Region, Series, inside_of, task_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


@final
@dataclass(frozen=True, slots=True)
class Weight:
    """What something takes of a state machine: bytes of the definition, events of the history, bytes of the ledger."""

    size: int = 0
    events: int = 0
    data: int = 0

    def __add__(self, other: Weight) -> Weight:
        return Weight(self.size + other.size, self.events + other.events, self.data + other.data)

    def within(self, limit: Weight) -> bool:
        """Return True if none of them is beyond the limit."""
        return self.size <= limit.size and self.events <= limit.events and self.data <= limit.data

    def times(self, share: float) -> Weight:
        """Return a share of each, rounded down."""
        return Weight(int(self.size * share), int(self.events * share), int(self.data * share))


PART = Weight(1_500, 34)
"""Of the state that runs a part: about so many bytes and at most so many events."""
PARALLEL = Weight(400, 4)
_PER_BRANCH = 40


def _nothing(_: tuple[str, ...]) -> int:
    return 0


def cut(
    region: Region,
    weight_of: Callable[[str], Weight],
    limit: Weight,
    left_by: Callable[[tuple[str, ...]], int] = _nothing,
) -> Region:
    """Return the region with parts in it, so that neither what is left nor any part is heavier than the limit.

    A single task that is heavier stays as it is. ``weight_of`` gives the weight of a task by its id, ``left_by`` the
    bytes that a part with these tasks leaves in the ledger.
    """
    return _numbered(_Cutter(weight_of, limit, left_by).fitted(region), count(1))


def _numbered(region: Region, numbers: Iterator[int]) -> Region:
    """Return the region with its parts numbered in reading order, outer ones first."""
    match region:
        case Leaf():
            return region
        case Part():
            return Part(next(numbers), _numbered(region.region, numbers))
        case Series():
            return Series(tuple(_numbered(item, numbers) for item in region.items))
        case Parallel():
            return Parallel(tuple(_numbered(branch, numbers) for branch in region.branches))


def parts_of(region: Region) -> Iterator[Part]:
    """Yield the parts of a region, outer ones first."""
    if isinstance(region, Part):
        yield region
    for inner in inside_of(region):
        yield from parts_of(inner)


def own_tasks(region: Region) -> Iterator[str]:
    """Yield the tasks of a region that are in none of its parts."""
    if isinstance(region, Leaf):
        yield region.task_id
    elif not isinstance(region, Part):
        for inner in inside_of(region):
            yield from own_tasks(inner)


@final
class _Cutter:
    def __init__(
        self,
        weight_of: Callable[[str], Weight],
        limit: Weight,
        left_by: Callable[[tuple[str, ...]], int],
    ) -> None:
        self._weight_of = weight_of
        self._limit = limit
        self._left_by = left_by

    def fitted(self, region: Region) -> Region:
        if isinstance(region, Leaf | Part) or self.weight(region).within(self._limit):
            return region
        items = [self.fitted(item) for item in inside_of(region)]
        kind = Series if isinstance(region, Series) else Parallel
        while not self.weight(kind(tuple(items))).within(self._limit) and len(items) > 1:
            parts = [self._part(group, kind) for group in self._groups(items)]
            if len(parts) == len(items) and self._share(parts, kind) >= self._share(items, kind):
                break
            items = parts
        return kind(tuple(items)) if len(items) > 1 else items[0]

    def weight(self, region: Region) -> Weight:
        match region:
            case Leaf():
                return self._weight_of(region.task_id)
            case Part():
                return PART + Weight(data=self._left_by(task_ids(region)))
            case Series():
                return sum((self.weight(item) for item in region.items), Weight())
            case Parallel():
                branches = (self._branch(branch) for branch in region.branches)
                return sum(branches, PARALLEL)

    def _branch(self, branch: Region) -> Weight:
        """Return the weight of a branch: of several tasks, the last states name all in what they return."""
        names = 0 if isinstance(branch, Leaf | Part) else sum(len(name) + 4 for name in task_ids(branch))
        return self.weight(branch) + Weight(_PER_BRANCH + 3 * names)

    def _groups(self, items: Sequence[Region]) -> Iterator[list[Region]]:
        """Yield consecutive items, as many as fit into one part, in parts of about the same weight."""
        weights = [self._branch(item) for item in items]
        parts = shares(sum(weights, Weight()), self._limit)
        share = sum(weights, Weight()).times(1 / math.ceil(parts))
        group, held, before, closed = list[Region](), Weight(), Weight(), 0
        for item, weight in zip(items, weights, strict=True):
            if group and (not (held + weight).within(self._limit) or shares(before, share) >= closed + 1):
                yield group
                group, held, closed = [], Weight(), closed + 1
            group.append(item)
            held, before = held + weight, before + weight
        yield group

    def _share(self, items: Sequence[Region], kind: type[Series | Parallel]) -> float:
        return shares(self.weight(kind(tuple(items))), self._limit)

    def _part(self, group: list[Region], kind: type[Series | Parallel]) -> Region:
        if len(group) > 1:
            return Part(0, kind(tuple(group)))
        (alone,) = group
        part = alone if isinstance(alone, Part) else Part(0, alone)
        lighter = shares(self.weight(part), self._limit) < shares(self.weight(alone), self._limit)
        return part if lighter else alone


def shares(weight: Weight, of: Weight) -> float:
    """Return how many times a weight has what another one has, of what it has most."""
    pairs = (weight.size, of.size), (weight.events, of.events), (weight.data, of.data)
    return max(mine / max(limit, 1) for mine, limit in pairs)
