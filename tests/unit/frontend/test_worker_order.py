from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from orkestra_bridge.frontend.worker_extract import cycle, topological


@dataclass
class FakeTask:
    upstream_task_ids: set[str] = field(default_factory=set)
    downstream_task_ids: set[str] = field(default_factory=set)


def graph(names: list[str], edges: set[tuple[str, str]]) -> dict[str, FakeTask]:
    tasks = {name: FakeTask() for name in names}
    for above, below in edges:
        tasks[above].downstream_task_ids.add(below)
        tasks[below].upstream_task_ids.add(above)
    return tasks


names = [f"t{number}" for number in range(7)]
pairs = st.sets(st.tuples(st.sampled_from(names), st.sampled_from(names)))


def test_ties_keep_the_order_of_definition() -> None:
    order, stuck = topological(graph(["z", "m", "a"], {("a", "z")}))
    assert (order, stuck) == (["m", "a", "z"], [])


def test_the_cycle_is_named_from_its_first_task_and_without_what_hangs_on_it() -> None:
    tasks = graph(["a", "b", "c", "d"], {("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")})
    order, stuck = topological(tasks)
    assert order == ["a"]
    assert cycle(tasks, stuck) == ["b", "c", "b"]


@given(pairs)
def test_order_respects_every_edge_or_a_cycle_is_shown(edges: set[tuple[str, str]]) -> None:
    tasks = graph(names, edges)
    order, stuck = topological(tasks)
    if not stuck:
        assert sorted(order) == sorted(names)
        assert all(order.index(above) < order.index(below) for above, below in edges)
        return
    ring = cycle(tasks, stuck)
    assert ring[0] == ring[-1]
    assert all(step in edges for step in pairwise(ring))
