"""What can stand on either side of ``>>``: tasks, task groups, XComArgs, labels; and what belongs to a DAG."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from airflow._impl.exceptions import AirflowException

if TYPE_CHECKING:
    from airflow._impl.dag import DAG


class DependencyMixin:
    """The dependency operators; subclasses say which tasks they begin and end with."""

    @property
    def roots(self) -> Sequence[Any]:
        """Return the tasks that a dependency on this begins with."""
        raise AttributeError("roots")

    @property
    def leaves(self) -> Sequence[Any]:
        """Return the tasks that a dependency of this waits for."""
        raise AttributeError("leaves")

    def set_upstream(self, other: Any, edge_modifier: Any = None) -> None:
        """Let this wait for ``other``, a node or a sequence of nodes."""
        raise AttributeError("set_upstream")

    def set_downstream(self, other: Any, edge_modifier: Any = None) -> None:
        """Let ``other``, a node or a sequence of nodes, wait for this."""
        raise AttributeError("set_downstream")

    def update_relative(self, other: Any, upstream: bool = True, edge_modifier: Any = None) -> None:
        """Hear that ``other`` became a neighbour; labels and groups keep a note of it."""

    def as_setup(self) -> Any:
        """Mark as setup; raises ValueError where that has no meaning."""
        raise ValueError("this cannot be a setup task")

    def as_teardown(self, *, setups: Any = None, on_failure_fail_dagrun: Any = None) -> Any:
        """Mark as teardown; raises ValueError where that has no meaning."""
        raise ValueError("this cannot be a teardown task")

    def __lshift__(self, other: Any) -> Any:
        self.set_upstream(other)
        return other

    def __rshift__(self, other: Any) -> Any:
        self.set_downstream(other)
        return other

    def __rrshift__(self, other: Any) -> Any:
        self.__lshift__(other)
        return self

    def __rlshift__(self, other: Any) -> Any:
        self.__rshift__(other)
        return self


def as_list(other: Any) -> list[Any]:
    """Return a node, or the nodes of a sequence or set, as a list."""
    if isinstance(other, (str, bytes)):
        return [other]
    if isinstance(other, DependencyMixin) and not isinstance(other, Sequence):
        return [other]
    return list(other) if isinstance(other, Iterable) else [other]


class DAGNode(DependencyMixin):
    """A task or a task group."""

    dag: DAG | None
    task_group: Any
    upstream_task_ids: set[str]
    downstream_task_ids: set[str]
    start_date: Any = None
    end_date: Any = None
    is_mapped = False

    @property
    def node_id(self) -> str:
        """Return task_id or group_id."""
        raise AttributeError("node_id")

    @property
    def label(self) -> str | None:
        """Return the id without the prefix of the group that it stands in."""
        group = self.task_group
        if group and group.prefix_group_id and group.node_id:
            return self.node_id.removeprefix(f"{group.node_id}.")
        return self.node_id

    @property
    def dag_id(self) -> str:
        """Return the id of the DAG, or a made-up one for a task without DAG."""
        return self.dag.dag_id if self.dag else "_in_memory_dag_"

    def has_dag(self) -> bool:
        """Return True if this belongs to a DAG."""
        return self.dag is not None

    @property
    def upstream_list(self) -> list[Any]:
        """Return the direct upstream tasks."""
        return [self._of_dag().get_task(task_id) for task_id in self.upstream_task_ids]

    @property
    def downstream_list(self) -> list[Any]:
        """Return the direct downstream tasks."""
        return [self._of_dag().get_task(task_id) for task_id in self.downstream_task_ids]

    def _of_dag(self) -> DAG:
        if self.dag is None:
            raise AirflowException(f"Node {self.node_id!r} has not been assigned to a DAG yet")
        return self.dag

    def get_direct_relative_ids(self, upstream: bool = False) -> set[str]:
        """Return the ids of the direct upstream or downstream tasks."""
        return self.upstream_task_ids if upstream else self.downstream_task_ids

    def get_direct_relatives(self, upstream: bool = False) -> list[Any]:
        """Return the direct upstream or downstream tasks."""
        return self.upstream_list if upstream else self.downstream_list

    def get_flat_relative_ids(self, *, upstream: bool = False) -> set[str]:
        """Return the ids of all upstream or downstream tasks, direct or not."""
        dag = self._of_dag()
        found: set[str] = set()
        todo = list(self.get_direct_relative_ids(upstream))
        while todo:
            task_id = todo.pop()
            if task_id not in found:
                found.add(task_id)
                todo.extend(dag.get_task(task_id).get_direct_relative_ids(upstream))
        return found

    def get_flat_relatives(self, upstream: bool = False) -> list[Any]:
        """Return all upstream or downstream tasks, direct or not."""
        dag = self._of_dag()
        return [dag.get_task(task_id) for task_id in sorted(self.get_flat_relative_ids(upstream=upstream))]

    def set_upstream(self, other: Any, edge_modifier: Any = None) -> None:
        self._set_relatives(other, upstream=True, edge_modifier=edge_modifier)

    def set_downstream(self, other: Any, edge_modifier: Any = None) -> None:
        self._set_relatives(other, upstream=False, edge_modifier=edge_modifier)

    def _set_relatives(self, other: Any, *, upstream: bool, edge_modifier: Any = None) -> None:
        neighbours: list[Any] = []
        for item in as_list(other):
            if not isinstance(item, DependencyMixin):
                kind = type(item).__name__
                raise AirflowException(f"Relationships can only be set between Operators; received {kind}")
            item.update_relative(self, not upstream, edge_modifier)
            neighbours.extend(item.leaves if upstream else item.roots)
        dag = _common_dag([*self.roots, *neighbours])
        for mine in self.roots:
            for theirs in neighbours:
                first, second = (theirs, mine) if upstream else (mine, theirs)
                connect(first, second, dag)
                if edge_modifier is not None:
                    edge_modifier.add_edge_info(dag, first.node_id, second.node_id)


def _common_dag(tasks: list[Any]) -> DAG:
    dags = {id(task.dag): task.dag for task in tasks if task.dag is not None}
    if len(dags) > 1:
        names = sorted(dag.dag_id for dag in dags.values())
        raise AirflowException(
            f"Tried to set relationships between tasks in more than one DAG: {', '.join(names)}"
        )
    if not dags:
        raise AirflowException(
            "Tried to create relationships between tasks that don't have DAGs yet. "
            f"Set the DAG for at least one task and try again: {tasks}"
        )
    dag: DAG = next(iter(dags.values()))
    for task in tasks:
        if task.dag is None:
            dag.add_task(task)
    return dag


def connect(first: Any, second: Any, _dag: Any = None) -> None:
    """Let task ``second`` wait for task ``first``."""
    first.downstream_task_ids.add(second.task_id)
    second.upstream_task_ids.add(first.task_id)
