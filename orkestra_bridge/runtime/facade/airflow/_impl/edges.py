"""Labels on edges, and the helpers that draw many edges at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from airflow._impl.node import DependencyMixin, as_list


class EdgeModifier(DependencyMixin):
    """A label between two nodes: ``a >> Label("text") >> b``."""

    def __init__(self, label: str | None = None) -> None:
        self.label = label
        self._upstream: list[Any] = []
        self._downstream: list[Any] = []

    @property
    def roots(self) -> list[Any]:
        return [task for node in self._downstream for task in node.roots]

    @property
    def leaves(self) -> list[Any]:
        return [task for node in self._upstream for task in node.leaves]

    def set_upstream(self, other: Any, edge_modifier: Any = None) -> None:
        nodes = self._remember(other, self._upstream)
        for node in list(self._downstream):
            node.set_upstream(nodes, edge_modifier=self)

    def set_downstream(self, other: Any, edge_modifier: Any = None) -> None:
        nodes = self._remember(other, self._downstream)
        for node in list(self._upstream):
            node.set_downstream(nodes, edge_modifier=self)

    def update_relative(self, other: Any, upstream: bool = True, edge_modifier: Any = None) -> None:
        self._remember(other, self._upstream if upstream else self._downstream)

    @staticmethod
    def _remember(other: Any, nodes: list[Any]) -> list[Any]:
        new = [node for node in as_list(other) if not isinstance(node, EdgeModifier)]
        nodes.extend(node for node in new if not any(node is known for known in nodes))
        return new

    def add_edge_info(self, dag: Any, upstream_id: str, downstream_id: str) -> None:
        dag.set_edge_info(upstream_id, downstream_id, {"label": self.label})


def Label(label: str) -> EdgeModifier:
    """Return a label to stand between two nodes of a ``>>`` chain."""
    return EdgeModifier(label=label)


def _is_list(item: Any) -> bool:
    return isinstance(item, Sequence) and not isinstance(item, (str, DependencyMixin))


def chain(*tasks: Any) -> None:
    """Make each argument the upstream of the next one; lists of equal length are paired.

    Source: `airflow.models.baseoperator.chain`.

    Raises:
        TypeError: For something that is no node.
        AirflowException: If two neighbouring lists differ in length.
    """
    from airflow._impl.exceptions import AirflowException

    for first, second in pairwise(tasks):
        if isinstance(first, DependencyMixin):
            first.set_downstream(second)
        elif isinstance(second, DependencyMixin):
            second.set_upstream(first)
        elif not _is_list(first) or not _is_list(second):
            raise TypeError(f"Chain not supported between instances of {type(first)} and {type(second)}")
        elif len(first) != len(second):
            raise AirflowException(
                f"Chain not supported for different length Iterable. Got {len(first)} and {len(second)}."
            )
        else:
            for one, other in zip(first, second, strict=True):
                one.set_downstream(other)


def cross_downstream(from_tasks: Sequence[Any], to_tasks: Any) -> None:
    """Make every one of ``from_tasks`` the upstream of every one of ``to_tasks``."""
    for task in from_tasks:
        task.set_downstream(to_tasks)


def chain_linear(*elements: Any) -> None:
    """Make all of each argument the upstream of all of the next (`airflow.models.baseoperator.chain_linear`).

    Raises:
        ValueError: If no two neighbours were given.
    """
    previous: list[Any] = []
    drawn = False
    for element in elements:
        nodes = as_list(element)
        for node in previous:
            for other in nodes:
                node.set_downstream(other)
                drawn = True
        previous = nodes or previous
    if not drawn:
        raise ValueError("No dependencies were set. Did you forget to expand with `*`?")
