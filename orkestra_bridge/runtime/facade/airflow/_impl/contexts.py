"""Which DAG and task group new tasks belong to: the ``with`` blocks that are open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow._impl.settings import SETTINGS

if TYPE_CHECKING:
    from airflow._impl.dag import DAG
    from airflow._impl.group import TaskGroup


class DagContext:
    """The stack of open ``with DAG(...)`` blocks."""

    _stack: ClassVar[list[Any]] = []

    @classmethod
    def push(cls, dag: DAG) -> None:
        cls._stack.append(dag)
        SETTINGS.dags.append(dag)

    @classmethod
    def pop(cls) -> DAG:
        dag: DAG = cls._stack.pop()
        return dag

    @classmethod
    def get_current(cls) -> DAG | None:
        return cls._stack[-1] if cls._stack else None

    get_current_dag = get_current
    push_context_managed_dag = push
    pop_context_managed_dag = pop


class TaskGroupContext:
    """The stack of open ``with TaskGroup(...)`` blocks."""

    _stack: ClassVar[list[Any]] = []

    @classmethod
    def push(cls, group: TaskGroup) -> None:
        cls._stack.append(group)

    @classmethod
    def pop(cls) -> TaskGroup:
        group: TaskGroup = cls._stack.pop()
        return group

    @classmethod
    def get_current(cls, dag: DAG | None) -> TaskGroup | None:
        if cls._stack:
            group: TaskGroup = cls._stack[-1]
            return group
        dag = dag or DagContext.get_current()
        return dag.task_group if dag else None

    get_current_task_group = get_current
