"""Task groups: id prefixes, default arguments, and edges that fan in and out of the group."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from airflow._impl.contexts import DagContext, TaskGroupContext
from airflow._impl.exceptions import DuplicateTaskIdFound, TaskAlreadyInTaskGroup
from airflow._impl.node import DAGNode, as_list

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow._impl.dag import DAG


class TaskGroup(DAGNode):
    """A named part of a DAG whose tasks carry its id as a prefix."""

    def __init__(  # noqa: PLR0917
        self,
        group_id: str | None,
        prefix_group_id: bool = True,
        parent_group: TaskGroup | None = None,
        dag: DAG | None = None,
        default_args: dict[str, Any] | None = None,
        tooltip: str = "",
        add_suffix_on_collision: bool = False,
        **display: Any,
    ) -> None:
        self.prefix_group_id = prefix_group_id
        self.default_args = copy.deepcopy(default_args or {})
        self.tooltip = tooltip
        self.doc_md = display.get("doc_md")
        self.group_display_name = display.get("group_display_name", "")
        self.children: dict[str, Any] = {}
        self.upstream_task_ids: set[str] = set()
        self.downstream_task_ids: set[str] = set()
        self.upstream_group_ids: set[str | None] = set()
        self.downstream_group_ids: set[str | None] = set()
        self._group_id = group_id
        self.parent_group = parent_group
        self.dag = dag
        self.used_group_ids: set[str | None] = set()
        if group_id:
            self._join_parent(add_suffix_on_collision)

    def _join_parent(self, add_suffix: bool) -> None:
        dag = self.dag or DagContext.get_current()
        parent = (
            self.parent_group
            or (self.dag.task_group if self.dag else None)
            or TaskGroupContext.get_current(dag)
        )
        if parent is None:
            raise RuntimeError("TaskGroup can only be used inside a dag")
        current = TaskGroupContext.get_current(parent.dag)
        if self.parent_group is None and current is not None and current.dag is parent.dag:
            parent = current
        self.parent_group = parent
        self.dag = parent.dag
        self.used_group_ids = parent.used_group_ids
        self._avoid_collision(add_suffix)
        parent.add(self)
        self.default_args = {**copy.deepcopy(parent.default_args), **self.default_args}
        self.used_group_ids.update((self.group_id, self.upstream_join_id, self.downstream_join_id))

    def _avoid_collision(self, add_suffix: bool) -> None:
        if self.group_id not in self.used_group_ids:
            return
        if not add_suffix:
            raise DuplicateTaskIdFound(f"group_id '{self._group_id}' has already been added to the DAG")
        base = re.split(r"__\d+$", self._group_id or "")[0]
        pattern = re.compile(rf"{re.escape(base)}__(\d+)")
        taken = [int(match[1]) for used in self.used_group_ids if used and (match := pattern.fullmatch(used))]
        self._group_id = f"{base}__{max(taken, default=0) + 1}"

    @classmethod
    def create_root(cls, dag: DAG) -> TaskGroup:
        """Return the group without id that holds all tasks of a DAG."""
        return cls(group_id=None, dag=dag)

    def __repr__(self) -> str:
        return f"<TaskGroup: {self.group_id}>"

    def __enter__(self) -> TaskGroup:  # noqa: PYI034
        TaskGroupContext.push(self)
        return self

    def __exit__(self, *_error: object) -> None:
        TaskGroupContext.pop()

    def __iter__(self) -> Iterator[Any]:
        for child in self.children.values():
            if isinstance(child, TaskGroup):
                yield from child
            else:
                yield child

    def __getitem__(self, label: str) -> Any:
        return self.get_child_by_label(label)

    @property
    def group_id(self) -> str | None:
        parent = self.parent_group
        if self._group_id and parent and parent.prefix_group_id and parent._group_id:
            return parent.child_id(self._group_id)
        return self._group_id

    @property
    def node_id(self) -> str:
        return self.group_id or ""

    @property
    def label(self) -> str | None:
        return self.group_display_name or self._group_id

    @property
    def is_root(self) -> bool:
        return not self._group_id

    @property
    def task_group(self) -> Any:
        return self.parent_group

    @task_group.setter
    def task_group(self, group: Any) -> None:
        self.parent_group = group

    @property
    def upstream_join_id(self) -> str:
        return f"{self.group_id}.upstream_join_id"

    @property
    def downstream_join_id(self) -> str:
        return f"{self.group_id}.downstream_join_id"

    def child_id(self, label: str) -> str:
        """Return the label with the prefix of this group, if it gives one."""
        return f"{self.group_id}.{label}" if self.prefix_group_id and self.group_id else label

    def get_child_by_label(self, label: str) -> Any:
        return self.children[self.child_id(label)]

    def get_task_group_dict(self) -> dict[str | None, TaskGroup]:
        """Return group_id -> group of this group and all below it."""
        found: dict[str | None, TaskGroup] = {self.group_id: self}
        for child in self.children.values():
            if isinstance(child, TaskGroup):
                found.update(child.get_task_group_dict())
        return found

    def add(self, node: Any) -> Any:
        """Take a task or group in; raises DuplicateTaskIdFound, or TaskAlreadyInTaskGroup if it has another group."""
        group = node.task_group
        if group is not None and group is not self:
            raise TaskAlreadyInTaskGroup(
                f"cannot add {node.node_id!r} to {self.node_id!r} (already in group {group.node_id!r})"
            )
        node.task_group = self
        key = node.node_id
        if key in self.children:
            kind = "Task Group" if isinstance(node, TaskGroup) else "Task"
            raise DuplicateTaskIdFound(f"{kind} id '{key}' has already been added to the DAG")
        self.children[key] = node
        return node

    def has_task(self, task: Any) -> bool:
        return any(task is known for known in self)

    def update_relative(self, other: Any, upstream: bool = True, edge_modifier: Any = None) -> None:
        groups, tasks = (
            (self.upstream_group_ids, self.upstream_task_ids)
            if upstream
            else (self.downstream_group_ids, self.downstream_task_ids)
        )
        if isinstance(other, TaskGroup):
            groups.add(other.group_id)
        else:
            tasks.update(
                task.node_id for task in (other.leaves if upstream else other.roots) if task is not self
            )

    def _set_relatives(self, other: Any, *, upstream: bool, edge_modifier: Any = None) -> None:
        nodes = as_list(other)
        ends = self.get_roots() if upstream else self._ends()
        for node in nodes:
            self.update_relative(node, upstream)
        for task in ends:
            if upstream:
                task.set_upstream(nodes, edge_modifier=edge_modifier)
            else:
                task.set_downstream(nodes, edge_modifier=edge_modifier)

    def _ends(self) -> list[Any]:
        """Return the leaves; of an empty group, what it waits for, or else what its parent ends with."""
        group: TaskGroup | None = self
        while group is not None:
            if leaves := group.leaves:
                return leaves
            if group.upstream_task_ids and group.dag:
                return [group.dag.get_task(task_id) for task_id in sorted(group.upstream_task_ids)]
            group = group.parent_group
        return []

    @property
    def roots(self) -> list[Any]:
        return self.get_roots()

    @property
    def leaves(self) -> list[Any]:
        return self.get_leaves()

    def get_roots(self) -> list[Any]:
        """Return the tasks that wait for no other task of the group."""
        ids = {task.task_id for task in self}
        return [task for task in self if task.upstream_task_ids.isdisjoint(ids)]

    def get_leaves(self) -> list[Any]:
        """Return the tasks that no other task of the group waits for; teardowns give way to what they wait for."""
        tasks = list(self)
        ids = {task.task_id for task in tasks}
        found: dict[str, Any] = {}
        for task in tasks:
            if task.downstream_task_ids.isdisjoint(ids):
                leaves = _before_teardown(task, ids) if task.is_teardown else [task]
                found.update((leaf.task_id, leaf) for leaf in leaves)
        return list(found.values())

    def as_teardown(self, *, setups: Any = None, on_failure_fail_dagrun: Any = None) -> Any:
        raise ValueError("a task group cannot be a teardown")


def _before_teardown(task: Any, ids: set[str]) -> Iterator[Any]:
    for before in task.upstream_list:
        if before.task_id not in ids or (task.is_teardown and before.is_setup):
            continue
        if before.is_teardown:
            yield from _before_teardown(before, ids)
        elif not _has_work_after(before, ids, but=task.task_id):
            yield before


def _has_work_after(task: Any, ids: set[str], *, but: str) -> bool:
    return any(
        after.task_id != but and after.task_id in ids and not after.is_teardown
        for after in task.downstream_list
    )


class MappedTaskGroup(TaskGroup):
    """A task group made by ``expand``: it waits for what it is expanded over."""

    is_mapped = True

    def __init__(self, *, expand_input: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._expand_input = expand_input

    @property
    def expanded_over(self) -> set[str]:
        """Return the ids of the tasks whose results decide how many instances there are."""
        return {operator.task_id for operator, _key in self._expand_input.iter_references()}

    def __exit__(self, *error: object) -> None:
        for operator, _key in self._expand_input.iter_references():
            self.set_upstream(operator)
        super().__exit__(*error)
