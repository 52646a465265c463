from __future__ import annotations

import itertools

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from orkestra_bridge.ir.graph import bits, order_of


@given(st.data())
def test_closure_and_reduction_agree_with_networkx(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 10))
    pairs = list(itertools.combinations(range(count), 2))
    edges = data.draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    names = tuple(str(i) for i in range(count))
    order = order_of(names, {str(v): tuple(str(u) for u, w in edges if w == v) for v in range(count)})
    graph: nx.DiGraph[int] = nx.DiGraph(edges)
    graph.add_nodes_from(range(count))
    assert set(order.covers) == set(nx.transitive_reduction(graph).edges)
    assert [set(bits(mask)) for mask in order.above] == [nx.ancestors(graph, i) for i in range(count)]
    assert [set(bits(mask)) for mask in order.below] == [nx.descendants(graph, i) for i in range(count)]
