from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orkestra_bridge.ir.graph import Order, bits, order_of
from orkestra_bridge.lowering.pprint import nesting_text
from orkestra_bridge.lowering.regions import Leaf, Parallel, Region, Series, decompose, inside_of, task_ids

if TYPE_CHECKING:
    from orkestra_bridge.options import Joins

Edges = list[tuple[int, int]]


def order(count: int, edges: Edges) -> Order:
    names = tuple(f"t{i}" for i in range(count))
    upstream = {name: tuple(names[u] for u, v in edges if v == i) for i, name in enumerate(names)}
    return order_of(names, upstream)


@st.composite
def orders(draw: st.DrawFn) -> Order:
    count = draw(st.integers(1, 12))
    pairs = list(itertools.combinations(range(count), 2))
    edges = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    return order(count, edges)


def before(region: Region) -> set[tuple[str, str]]:
    """Return all pairs (u, v) where the nesting makes v wait for u."""
    if isinstance(region, Leaf):
        return set()
    parts = inside_of(region)
    pairs = set().union(*(before(part) for part in parts))
    if isinstance(region, Series):
        for first, second in itertools.combinations(parts, 2):
            pairs |= set(itertools.product(task_ids(first), task_ids(second)))
    return pairs


def required(of: Order) -> set[tuple[str, str]]:
    return {(of.names[u], of.names[v]) for v in range(len(of.names)) for u in bits(of.above[v])}


@given(orders())
def test_every_task_appears_once_and_no_order_is_lost(of: Order) -> None:
    result = decompose(of, "barrier")
    assert sorted(task_ids(result.region)) == sorted(of.names)
    assert before(result.region) >= required(of)


@given(orders())
def test_added_waits_are_exactly_what_the_nesting_adds(of: Order) -> None:
    result = decompose(of, "barrier")
    named = {(other, wait.task_id) for wait in result.waits for other in wait.waits_for}
    assert before(result.region) - required(of) == named


@pytest.mark.parametrize("joins", ["token", "barrier"])
@given(data=st.data())
@settings(max_examples=50)
def test_series_parallel_orders_nest_exactly(joins: Joins, data: st.DataObject) -> None:
    def build(names: list[str]) -> tuple[Edges, list[int]]:
        indices = [int(name) for name in names]
        if len(indices) == 1:
            return [], indices
        cut = data.draw(st.integers(1, len(indices) - 1))
        left, _ = build(names[:cut])
        right, _ = build(names[cut:])
        across = list(itertools.product(indices[:cut], indices[cut:])) if data.draw(st.booleans()) else []
        return [*left, *right, *across], indices

    count = data.draw(st.integers(1, 14))
    edges, _ = build([str(i) for i in range(count)])
    assert decompose(order(count, edges), joins).waits == ()
    assert decompose(order(count, edges), joins).relaxed == ()


@pytest.mark.parametrize(
    ("count", "edges", "text"),
    [
        (1, [], "t0\n"),
        (3, [(0, 1), (1, 2)], "series\n  t0\n  t1\n  t2\n"),
        (4, [(0, 1), (0, 2), (1, 3), (2, 3)], "series\n  t0\n  parallel\n    t1\n    t2\n  t3\n"),
        (
            4,
            [(0, 2), (0, 3), (1, 2), (1, 3)],
            "series\n  parallel\n    t0\n    t1\n  parallel\n    t2\n    t3\n",
        ),
        (3, [(0, 1)], "parallel\n  series\n    t0\n    t1\n  t2\n"),
    ],
)
@pytest.mark.parametrize("joins", ["token", "barrier"])
def test_shapes(count: int, edges: Edges, text: str, joins: Joins) -> None:
    assert nesting_text(decompose(order(count, edges), joins)) == text


def test_an_n_shape_gets_one_named_wait() -> None:
    result = decompose(order(4, [(0, 2), (0, 3), (1, 3)]), "barrier")
    assert len(result.waits) == 1
    assert len(result.waits[0].waits_for) == 1
    assert isinstance(result.region, Series | Parallel)


@pytest.mark.parametrize("joins", ["token", "barrier"])
def test_a_wide_and_a_deep_graph_of_500_tasks(joins: Joins) -> None:
    layers = [range(start, start + 10) for start in range(0, 500, 10)]
    edges = [(u, v) for first, second in itertools.pairwise(layers) for u in first for v in second]
    result = decompose(order(500, edges), joins)
    assert (result.waits, result.relaxed) == ((), ())
