"""What does not nest: the edges that are left to joins, how few they are, and how long it takes to find them."""

from __future__ import annotations

import itertools
import random
import time
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orkestra_bridge.ir.graph import Order, bits, order_of
from orkestra_bridge.lowering.pprint import nesting_text
from orkestra_bridge.lowering.regions import (
    DEPTH,
    Leaf,
    Parallel,
    Region,
    decompose,
    inside_of,
    masks_before,
    task_ids,
)

Edges = list[tuple[int, int]]


def order(count: int, edges: Edges) -> Order:
    names = tuple(f"t{i}" for i in range(count))
    upstream: dict[str, list[str]] = {name: [] for name in names}
    for before, after in edges:
        upstream[names[after]].append(names[before])
    return order_of(names, {name: tuple(before) for name, before in upstream.items()})


@st.composite
def orders(draw: st.DrawFn, most: int = 14) -> Order:
    count = draw(st.integers(1, most))
    pairs = list(itertools.combinations(range(count), 2))
    edges = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=3 * count)) if pairs else []
    return order(count, edges)


def layered(count: int, width: int, seed: int) -> Order:
    """Return a graph in which each task waits for one or two of the layer before it."""
    draw = random.Random(seed)
    layers: list[range] = []
    while not layers or layers[-1].stop < count:
        start = layers[-1].stop if layers else 0
        layers.append(range(start, min(start + draw.randint(1, width), count)))
    edges = [
        (before, after)
        for above, below in itertools.pairwise(layers)
        for after in below
        for before in draw.sample(above, min(len(above), draw.randint(1, 2)))
    ]
    return order(count, edges)


def closed(of: Order, before: list[int]) -> list[int]:
    """Return the transitive closure of a relation whose tasks are in topological order."""
    full = list(before)
    for task in range(len(of.names)):
        for other in bits(before[task]):
            full[task] |= full[other]
    return full


def depth(region: Region) -> int:
    if isinstance(region, Leaf):
        return 0
    return isinstance(region, Parallel) + max(map(depth, inside_of(region)))


def has_series_in_series(region: Region) -> bool:
    if isinstance(region, Leaf):
        return False
    parts = inside_of(region)
    return any(isinstance(part, type(region)) or has_series_in_series(part) for part in parts)


def fewest(of: Order) -> int:
    """Return the least number of edges to relax: by trying all sets of them, the small ones first."""
    for count in range(len(of.covers) + 1):
        if any(nests(of, frozenset(gone)) for gone in itertools.combinations(of.covers, count)):
            return count
    raise AssertionError("without any edge everything is parallel")


def nests(of: Order, gone: frozenset[tuple[int, int]]) -> bool:
    kept = [edge for edge in of.covers if edge not in gone]

    @cache
    def possible(mask: int) -> bool:
        if not mask & (mask - 1):
            return True
        half = (mask - 1) & mask
        while half:
            rest = mask ^ half
            apart = not any((half >> u ^ half >> v) & 1 for u, v in kept if mask >> u & mask >> v & 1)
            one_after_the_other = all(half & ~of.above[task] == 0 for task in bits(rest))
            if (apart or one_after_the_other) and possible(half) and possible(rest):
                return True
            half = (half - 1) & mask
        return False

    return possible(of.everything)


@given(orders())
def test_the_nesting_and_the_joins_together_are_the_order_itself(of: Order) -> None:
    result = decompose(of, "token")
    assert sorted(task_ids(result.region)) == sorted(of.names)
    assert not has_series_in_series(result.region)
    before = masks_before(of, result.region)
    assert all(mask & ~of.above[task] == 0 for task, mask in enumerate(before)), (
        "waits for more than it depends on"
    )
    index = {name: i for i, name in enumerate(of.names)}
    edges = [(index[u], index[v]) for u, v in result.relaxed]
    assert set(edges) <= set(of.covers)
    for u, v in edges:
        assert not before[v] >> u & 1, "relaxed for nothing"
        before[v] |= 1 << u
    assert closed(of, before) == list(of.above)


@given(orders(6))
@settings(max_examples=150)
def test_small_graphs_relax_as_few_edges_as_possible(of: Order) -> None:
    assert len(decompose(of, "token").relaxed) == fewest(of)


@pytest.mark.parametrize(("count", "width", "most"), [(16, 4, 3.5), (30, 4, 8), (60, 10, 20), (150, 8, 58)])
def test_larger_graphs_relax_few(count: int, width: int, most: float) -> None:
    """Measured when the strategy was chosen; others that were tried needed up to a third more."""
    relaxed = [len(decompose(layered(count, width, seed), "token").relaxed) for seed in range(6)]
    assert sum(relaxed) / len(relaxed) <= most * 1.05


@pytest.mark.parametrize(("count", "width"), [(500, 10), (500, 40), (500, 3)])
def test_graphs_of_500_tasks_take_less_than_two_seconds(count: int, width: int) -> None:
    of = layered(count, width, 5)
    before = time.process_time()
    result = decompose(of, "token")
    assert time.process_time() - before <= 2
    assert len(result.relaxed) < len(of.covers) / 2
    assert depth(result.region) <= DEPTH


@pytest.mark.parametrize("joins", ["token", "barrier"])
def test_a_chain_of_500_tasks_with_a_side_task_each_stays_flat(joins: str) -> None:
    edges = [(2 * i, 2 * i + 1) for i in range(500)] + [(2 * i, 2 * i + 2) for i in range(499)]
    result = decompose(order(1000, edges), "token" if joins == "token" else "barrier")
    assert depth(result.region) <= DEPTH
    assert not has_series_in_series(result.region)
    assert sorted(task_ids(result.region)) == sorted(f"t{i}" for i in range(1000))
    assert len(result.relaxed) <= 40


def test_an_n_relaxes_one_edge_and_says_so() -> None:
    result = decompose(order(4, [(0, 2), (0, 3), (1, 3)]), "token")
    assert result.waits == ()
    assert len(result.relaxed) == 1
    (edge,) = result.relaxed
    assert nesting_text(result).endswith(f"relaxed: {edge[0]} -> {edge[1]}\n")
