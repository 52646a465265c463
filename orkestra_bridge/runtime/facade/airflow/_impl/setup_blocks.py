"""``with setup:`` and ``with teardown:`` blocks: the tasks made inside are tied to the setup and the teardown.

The edges have to be Airflow's, its oddities included: a task that is made in an outer block after an inner one has been
closed belongs to neither (`airflow/sdk/definitions/_internal/setup_teardown.py`).
"""

from __future__ import annotations

from typing import Any, ClassVar

from airflow._impl.enums import TriggerRule
from airflow._impl.node import as_list


class _Slot:
    """The tasks of one kind that count at the moment, and those that counted in the blocks around."""

    def __init__(self) -> None:
        self.tasks: list[Any] = []
        self.around: list[list[Any]] = []

    def push(self, tasks: list[Any]) -> None:
        if self.tasks and self.tasks != tasks:
            self.around.append(self.tasks)
        self.tasks = tasks

    def pop(self) -> tuple[list[Any], list[Any]]:
        """Return the tasks that counted and those that count now."""
        left, self.tasks = self.tasks, self.around.pop() if self.around else []
        return left, self.tasks


class SetupTeardownContext:
    """The open blocks."""

    active: ClassVar[bool] = False
    _setups: ClassVar[_Slot] = _Slot()
    _teardowns: ClassVar[_Slot] = _Slot()
    _teardowns_of_setups: ClassVar[_Slot] = _Slot()
    _setups_of_teardowns: ClassVar[_Slot] = _Slot()
    _members: ClassVar[dict[tuple[int, ...], list[Any]]] = {}

    @classmethod
    def push(cls, owners: Any) -> None:
        """Open a block; raises ValueError for tasks that are not all setups or all teardowns."""
        owners = list(owners) if isinstance(owners, (list, tuple)) else [owners]
        first = owners[0]
        if not first.is_setup and not first.is_teardown:
            raise ValueError("Only setup/teardown tasks can be used as context managers.")
        if any(task.is_setup != first.is_setup for task in owners):
            raise ValueError("All tasks in the list must be either setup or teardown tasks")
        if first.is_teardown:
            cls._teardowns.push(owners)
            cls._setups_of_teardowns.push(_nearest(first, first.upstream_list, "is_setup"))
        else:
            cls._setups.push(owners)
            cls._teardowns_of_setups.push(_nearest(first, first.downstream_list, "is_teardown"))
        cls.active = True

    @classmethod
    def add(cls, task: Any) -> None:
        """Take a new task into the open block, if there is one."""
        if not cls.active or task.is_setup or task.is_teardown:
            return
        for slot in (cls._setups, cls._teardowns):
            if slot.tasks:
                cls._members.setdefault(_key(slot.tasks), []).append(task)

    @classmethod
    def add_task(cls, task: Any) -> None:
        """Take a task into the open block that was made before it."""
        for one in task.roots:
            cls.add(one)

    @classmethod
    def pop(cls) -> None:
        """Close the block: tie what was made in it, and the block itself to the one around it."""
        setups, teardowns = cls._setups.tasks, cls._teardowns.tasks
        if work := cls._work(setups):
            _connect(setups, [task for task in work if not task.upstream_task_ids] or work[:1])
            leaves = [task for task in work if not task.downstream_task_ids] or work[-1:]
            _connect(teardowns or leaves, cls._teardowns_of_setups.tasks)
        if work := cls._work(teardowns):
            _connect([task for task in work if not task.downstream_task_ids] or work[-1:], teardowns)
            roots = [task for task in work if not task.upstream_task_ids] or work[:1]
            _connect(cls._setups_of_teardowns.tasks, setups or roots)
        inner, outer = cls._setups.pop()
        _connect(outer, inner)
        inner, outer = cls._teardowns.pop()
        _connect(inner, outer)
        inner, outer = cls._teardowns_of_setups.pop()
        _connect(inner, outer)
        inner, outer = cls._setups_of_teardowns.pop()
        _connect(outer, inner)
        cls._members.pop(_key(setups), None)
        cls._members.pop(_key(teardowns), None)
        cls.active = False

    @classmethod
    def _work(cls, owners: list[Any]) -> list[Any]:
        return [
            task for task in cls._members.get(_key(owners), ()) if not task.is_setup and not task.is_teardown
        ]


class SetupTeardownMixin:
    """For tasks: they may be marked as setup or teardown, and open a block."""

    is_setup: bool
    is_teardown: bool
    on_failure_fail_dagrun: Any
    trigger_rule: Any

    def as_setup(self) -> Any:
        self.is_setup = True
        return self

    def as_teardown(self, *, setups: Any = None, on_failure_fail_dagrun: Any = None) -> Any:
        """Mark as the teardown of these setups, which it waits for."""
        self.is_teardown = True
        self.trigger_rule = TriggerRule.ALL_DONE_SETUP_SUCCESS
        if on_failure_fail_dagrun is not None:
            self.on_failure_fail_dagrun = on_failure_fail_dagrun
        for setup in [] if setups is None else as_list(setups):
            setup.as_setup()
            setup.set_downstream(self)
        return self

    def __enter__(self) -> Any:
        SetupTeardownContext.push(self)
        return SetupTeardownContext

    def __exit__(self, *_error: object) -> None:
        SetupTeardownContext.pop()


class ContextWrapper(list[Any]):
    """Several setups, or several teardowns, to open one block with."""

    def __init__(self, tasks: Any) -> None:
        self.tasks = tasks
        super().__init__(tasks)

    def __enter__(self) -> Any:
        SetupTeardownContext.push([task for item in self.tasks for task in item.roots])
        return SetupTeardownContext

    def __exit__(self, *_error: object) -> None:
        SetupTeardownContext.pop()


def _key(tasks: list[Any]) -> tuple[int, ...]:
    return tuple(id(task) for task in tasks)


def _connect(first: list[Any], second: list[Any]) -> None:
    for one in first:
        for other in second:
            one.set_downstream(other)


def _nearest(start: Any, level: list[Any], kind: str) -> list[Any]:
    """Return the nearest tasks of a kind, on any path that begins with this level and does not lead back."""
    seen = {id(start)}
    while level:
        found = [task for task in level if getattr(task, kind)]
        if found:
            return list({id(task): task for task in found}.values())
        seen.update(id(task) for task in level)
        around = [near for task in level for near in (*task.downstream_list, *task.upstream_list)]
        level = [near for near in around if id(near) not in seen]
    return []
