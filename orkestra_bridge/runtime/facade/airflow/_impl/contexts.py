"""Which DAG, task group and setup or teardown new tasks belong to: the ``with`` blocks that are open."""

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


class SetupTeardownContext:
    """The stack of open ``with setup_task:`` blocks and the work tasks made inside of each."""

    _stack: ClassVar[list[tuple[list[Any], list[Any]]]] = []

    @classmethod
    def push(cls, owners: Any) -> None:
        owners = list(owners) if isinstance(owners, (list, tuple)) else [owners]
        if not all(task.is_setup or task.is_teardown for task in owners):
            raise ValueError("Only setup/teardown tasks can be used as context managers.")
        cls._stack.append((owners, []))

    @classmethod
    def add(cls, task: Any) -> None:
        if cls._stack:
            cls._stack[-1][1].append(task)

    @classmethod
    def add_task(cls, task: Any) -> None:
        """Take a task into the open block that was made before it."""
        for one in task.roots:
            cls.add(one)

    @classmethod
    def pop(cls) -> None:
        owners, tasks = cls._stack.pop()
        setups, teardowns = _pairs(owners)
        work = [task for task in tasks if not task.is_setup and not task.is_teardown]
        if work:
            # Airflow ties tasks that stand alone so far, or else the first and the last.
            roots = [task for task in work if not task.upstream_task_ids] or work[:1]
            leaves = [task for task in work if not task.downstream_task_ids] or work[-1:]
            for task in roots:
                task.set_upstream(setups)
            for task in leaves:
                task.set_downstream(teardowns)
        if cls._stack:
            outer_setups, outer_teardowns = _pairs(cls._stack[-1][0])
            for setup in setups:
                setup.set_upstream(outer_setups)
            for teardown in teardowns:
                teardown.set_downstream(outer_teardowns)


def _pairs(owners: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return the setups and the teardowns of a block, from whichever of both it was opened with."""
    if owners[0].is_setup:
        found = [task for owner in owners for task in owner.downstream_list if task.is_teardown]
        return owners, _unique(found)
    found = [task for owner in owners for task in owner.upstream_list if task.is_setup]
    return _unique(found), owners


def _unique(tasks: list[Any]) -> list[Any]:
    return list({task.task_id: task for task in tasks}.values())
