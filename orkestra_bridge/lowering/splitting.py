"""Nesting with joins: what does not nest is split into halves side by side, and the edges between them are relaxed.

Which edges? A nesting is a tree. Each of its Series costs nothing, since it only stands where all of one part come before
all of the next; each of its Parallels costs the edges between its branches. So the fewest edges are those of the best
way to split a part in two, then each half: tried out for small parts, and for larger ones among promising splits.
Two tasks of one half whose order hangs on a task of the other half keep it: if not by the tree, then by the two joins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from orkestra_bridge.ir.graph import Order, bits, components, mask_of
from orkestra_bridge.lowering.regions import DEPTH, Leaf, Parallel, Series, masks_before

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orkestra_bridge.lowering.regions import Region

_EXACT = 10
"""Tasks of a part for which all splits are tried out."""
_COMPARED = 40
"""Tasks of a part up to which the best few splits are carried through to the end."""
_LARGE = 60
"""Tasks of a part beyond which only beginnings of the order are considered, then improved."""
_SHORTLIST = 24
_FINALISTS = 4
_ROUNDS = 3


def with_relaxed_edges(order: Order) -> tuple[Region, tuple[tuple[str, str], ...]]:
    """Return the nesting, and the edges of the order that it does not keep, in the order of the later task.

    No Parallel is deeper than `DEPTH`: what would be is cut in two first, where few edges cross.
    """
    splitter = _Splitter(order)
    branches: list[Region] = []
    todo = [order.everything]
    while todo:
        mask = todo.pop()
        try:
            branches.append(splitter.region(mask, DEPTH - 1))
        except _TooDeepError:
            half = splitter.beginning(mask)
            todo += [mask & ~half, half]
    region = branches[0] if len(branches) == 1 else Parallel(tuple(_flat(branches, Parallel)))
    before = masks_before(order, region)
    names = order.names
    return region, tuple((names[u], names[v]) for u, v in order.covers if not before[v] >> u & 1)


class _TooDeepError(Exception):
    """A part needs more Parallels inside of each other than are left."""


def _flat(parts: Iterable[Region], kind: type[Series | Parallel]) -> Iterable[Region]:
    for part in parts:
        if isinstance(part, kind):
            yield from part.items if isinstance(part, Series) else part.branches
        else:
            yield part


@final
class _Splitter:
    """Finds the nesting of parts of one order; parts are masks of its tasks."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._linked = [0] * len(order.names)
        for before, after in order.covers:
            self._linked[before] |= 1 << after
            self._linked[after] |= 1 << before
        self._parts_of: dict[int, list[int]] = {}
        self._knots_of: dict[int, tuple[int, int]] = {}
        self._exact: dict[int, tuple[int, int]] = {}
        self._estimated: dict[int, int] = {}
        self._small: dict[int, tuple[_Splitter, int]] = {}

    def region(self, mask: int, depth: int) -> Region:
        """Return the nesting of a part; raises _TooDeepError if that takes more than ``depth`` Parallels."""
        if not mask & (mask - 1):
            return Leaf(self._order.names[mask.bit_length() - 1])
        if mask in self._small:
            splitter, own = self._small[mask]
            return splitter.region(own, depth)
        steps = self._steps(mask)
        if len(steps) > 1:
            steps.sort(key=lambda step: (self._order.above[step.bit_length() - 1] & mask).bit_count())
            return Series(tuple(_flat((self.region(step, depth) for step in steps), Series)))
        if not depth:
            raise _TooDeepError
        return Parallel(tuple(self.region(branch, depth - 1) for branch in self._branches(mask)))

    def _branches(self, mask: int) -> list[int]:
        """Return the parts of a Parallel, none of which is a Parallel itself."""
        done, todo = [], [mask]
        while todo:
            part = todo.pop()
            if not part & (part - 1) or (part != mask and len(self._steps(part)) > 1):
                done.append(part)
                continue
            groups = self._groups(part)
            if len(groups) == 1:
                if len(self._order.names) > _LARGE and part.bit_count() <= _LARGE:
                    done += self._branches_of_small(part)
                    continue
                half = self._best(part, thorough=True)
                groups = [half, part & ~half]
            todo += groups
        return sorted(done, key=lambda part: part & -part)

    def _branches_of_small(self, mask: int) -> list[int]:
        """Return the branches of a part that does not nest, found with masks of its own tasks alone.

        All that is tried out with small parts takes time by the length of the masks. The tasks keep their order, so that
        the best split is the same one.
        """
        places = tuple(bits(mask))
        splitter = _Splitter(_among(self._order, places))
        found = []
        for own in splitter._branches((1 << len(places)) - 1):
            found.append(mask_of(places[i] for i in bits(own)))
            self._small[found[-1]] = (splitter, own)
        return found

    def _steps(self, mask: int) -> list[int]:
        above, below = self._order.above, self._order.below
        return components(mask, lambda i: ~(above[i] | below[i]))

    def _groups(self, mask: int) -> list[int]:
        return components(mask, self._linked.__getitem__)

    def _parts(self, mask: int) -> list[int]:
        """Return what a part falls into without relaxing anything; the part alone if it does not nest."""
        if mask not in self._parts_of:
            steps = self._steps(mask)
            self._parts_of[mask] = steps if len(steps) > 1 else self._groups(mask)
        return self._parts_of[mask]

    def _crossing(self, half: int, mask: int) -> int:
        rest = mask & ~half
        if rest.bit_count() < half.bit_count():
            half, rest = rest, half
        return self._links(half, rest)

    def _links(self, tasks: int, others: int) -> int:
        """Return how many links the tasks of one part have to those of another; most of the time is spent here."""
        linked, found = self._linked, 0
        while tasks:
            first = tasks & -tasks
            found += (linked[first.bit_length() - 1] & others).bit_count()
            tasks ^= first
        return found

    def _smallest(self, mask: int) -> tuple[int, int]:
        """Return the fewest edges to relax in a part, and one half of its best split (0 if it needs none)."""
        if mask not in self._exact:
            self._exact[mask] = self._tried_out(mask)
        return self._exact[mask]

    def _tried_out(self, mask: int) -> tuple[int, int]:
        if not mask & (mask - 1):
            return 0, 0
        parts = self._parts(mask)
        if len(parts) > 1:
            return sum(self._smallest(part)[0] for part in parts), 0
        best = (len(self._order.covers) + 1, 0)
        for crossing, half in sorted((self._crossing(half, mask), half) for half in _halves(mask)):
            if crossing >= best[0]:
                break
            cost = crossing + self._smallest(half)[0] + self._smallest(mask & ~half)[0]
            best = min(best, (cost, half))
        return best

    def _best(self, mask: int, *, thorough: bool) -> int:
        """Return one half of a good split of a part that does not nest."""
        if mask.bit_count() <= _EXACT:
            return self._smallest(mask)[1]
        if mask.bit_count() > _LARGE:
            return self._improved(self.beginning(mask), mask)
        finalists = self._promising(mask)
        if not thorough or mask.bit_count() > _COMPARED:
            return finalists[0]
        return min(finalists[:_FINALISTS], key=lambda half: (self._carried_through(half, mask), half))

    def _carried_through(self, half: int, mask: int) -> int:
        return self._crossing(half, mask) + self._estimate(half) + self._estimate(mask & ~half)

    def _estimate(self, mask: int) -> int:
        """Return how many edges one relaxes in a part if each split is the most promising one."""
        if not mask & (mask - 1):
            return 0
        if mask not in self._estimated:
            parts, cost = self._parts(mask), 0
            if len(parts) == 1:
                half = self._best(mask, thorough=False)
                parts, cost = [half, mask & ~half], self._crossing(half, mask)
            self._estimated[mask] = cost + sum(map(self._estimate, parts))
        return self._estimated[mask]

    def _promising(self, mask: int) -> list[int]:
        """Return splits of a part, the one that leaves the least to do first."""
        halves = self._candidates(mask)
        few = sorted(halves, key=lambda half: (self._crossing(half, mask), half))[:_SHORTLIST]
        even = sorted(halves, key=lambda half: (self._ratio(half, mask), half))[:_SHORTLIST]
        improved = [self._improved(half, mask) for half in even[:_FINALISTS]]
        return sorted({*few, *even, *improved}, key=lambda half: (*self._left_to_do(half, mask), half))

    def _left_to_do(self, half: int, mask: int) -> tuple[int, int]:
        (knots, tasks), (other_knots, other_tasks) = self._knots(half), self._knots(mask & ~half)
        return self._crossing(half, mask) + knots + other_knots, tasks + other_tasks

    def _knots(self, mask: int) -> tuple[int, int]:
        """Return how many edges those parts that do not nest have more than trees, and how many tasks."""
        if mask not in self._knots_of:
            self._knots_of[mask] = self._counted_knots(mask)
        return self._knots_of[mask]

    def _counted_knots(self, mask: int) -> tuple[int, int]:
        knots, tasks, todo = 0, 0, [mask]
        while todo:
            part = todo.pop()
            parts = self._parts(part)
            if len(parts) > 1:
                todo += parts
            elif part & (part - 1):
                edges = self._links(part, part) // 2
                knots += edges - part.bit_count() + 1
                tasks += part.bit_count()
        return knots, tasks

    def _candidates(self, mask: int) -> set[int]:
        """Return halves: beginnings of the order, single tasks, and what is above, below or next to one."""
        above, below = self._order.above, self._order.below
        found, start = set(), 0
        for i in bits(mask):
            start |= 1 << i
            found |= {start, 1 << i}
            found |= {(others[i] | 1 << i) & mask for others in (above, below, self._linked)}
        return found - {mask}

    def beginning(self, mask: int) -> int:
        """Return the beginning of the part's order that few edges leave, in proportion to the smaller half."""
        start, crossing, size = 0, 0, mask.bit_count()
        best = (float("inf"), 0)
        for count, i in enumerate(bits(mask), 1):
            crossing += self._moved(i, start, mask)
            start |= 1 << i
            if count < size:
                best = min(best, (crossing / min(count, size - count), start))
        return best[1]

    def _improved(self, half: int, mask: int) -> int:
        """Return the split with tasks moved one by one to where the proportion gets better."""
        ratio, crossing, size = self._ratio(half, mask), self._crossing(half, mask), mask.bit_count()
        for i in tuple(bits(mask)) * _ROUNDS:
            more = self._moved(i, mask & ~half if half >> i & 1 else half, mask)
            moved = half ^ 1 << i
            smaller = min(moved.bit_count(), size - moved.bit_count())
            if more <= 0 < smaller and (crossing + more) / smaller < ratio:
                half, crossing = moved, crossing + more
                ratio = crossing / smaller
        return half

    def _moved(self, i: int, other: int, mask: int) -> int:
        """Return how many more edges cross between the halves of a part when a task goes to the other half."""
        links = self._linked[i] & mask
        return links.bit_count() - 2 * (links & other).bit_count()

    def _ratio(self, half: int, mask: int) -> float:
        smaller = min(half.bit_count(), (mask & ~half).bit_count())
        return self._crossing(half, mask) / smaller if smaller else float("inf")


def _among(order: Order, places: tuple[int, ...]) -> Order:
    """Return the order of these of its tasks; what they cover is what they cover among all."""
    index = {place: i for i, place in enumerate(places)}
    mask = mask_of(places)
    return Order(
        names=tuple(order.names[place] for place in places),
        above=tuple(mask_of(index[i] for i in bits(order.above[place] & mask)) for place in places),
        below=tuple(mask_of(index[i] for i in bits(order.below[place] & mask)) for place in places),
        covers=tuple((index[u], index[v]) for u, v in order.covers if mask >> u & 1 and mask >> v & 1),
    )


def _halves(mask: int) -> Iterator[int]:
    """Yield one half of each way to split a part, which has several tasks, in two."""
    first = mask & -mask
    others = rest = mask ^ first
    while others:
        others = (others - 1) & rest
        yield others | first
