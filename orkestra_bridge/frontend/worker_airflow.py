"""The names that differ between Airflow 2 and 3, and hooks that note where DAGs and tasks are made.

Part of the worker program: standard library and Airflow only, Python 3.8 and later.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import sys
from typing import TYPE_CHECKING, Any, Tuple

if TYPE_CHECKING:
    import types

    from .worker_watch import Watch

Place = Tuple[str, int]


class Airflow:
    """An imported Airflow, whichever it is, with the DAGs and tasks that were made since `clear`."""

    def __init__(self, watch: Watch) -> None:
        import airflow
        from airflow import settings

        self.version: str = airflow.__version__
        self.settings = settings
        if int(self.version.split(".", 1)[0]) >= 3:
            from airflow.sdk import DAG, BaseOperator, TaskGroup
            from airflow.sdk.definitions._internal.contextmanager import DagContext
        else:
            from airflow.models.baseoperator import BaseOperator
            from airflow.models.dag import DAG, DagContext
            from airflow.utils.task_group import TaskGroup
        self.group_class = TaskGroup
        self.dag_class, self.operator_class, self.context = DAG, BaseOperator, DagContext
        self._watch = watch
        self.clear()
        self._hook_dag()
        self._hook_tasks()
        self._hook_groups()
        # Which executors there are is known to the user's scheduler; `executor` is accounted for like any argument.
        if hasattr(DAG, "validate_executor_field"):
            DAG.validate_executor_field = lambda _dag: None

    def clear(self) -> None:
        """Forget the DAGs and tasks of the last file."""
        self.created: list[tuple[Any, Place, dict[str, Any]]] = []
        self.places: dict[int, Place] = {}  # of tasks and task groups
        self._made: list[Any] = []  # keeps them alive: their ids are keys
        self.context.autoregistered_dags.clear()

    def in_order(self, dags: list[Any]) -> list[tuple[Any, Place, dict[str, Any]]]:
        """Return the DAGs, each once, in the order in which they were made, with place and arguments."""
        wanted = {id(dag): dag for dag in dags}
        return [row for row in self.created if wanted.pop(id(row[0]), None) is not None]

    def _hook_dag(self) -> None:
        """Note each DAG in ``__new__``: subclasses (Airflow 3.0's own, for one) have an ``__init__`` of their own."""
        names = list(inspect.signature(self.dag_class.__init__).parameters)[1:]

        def new(cls: type, *args: Any, **kwargs: Any) -> Any:
            dag: Any = object.__new__(cls)
            place = self._watch.place_in_dag_file(sys._getframe(1)) or ("", 0)
            self.created.append((dag, place, {**dict(zip(names, args)), **kwargs}))
            return dag

        self.dag_class.__new__ = staticmethod(new)

    def _hook_tasks(self) -> None:
        original = self.dag_class.add_task

        @functools.wraps(original)
        def add_task(dag: Any, task: Any) -> None:
            self._note(task, sys._getframe(1))
            original(dag, task)

        self.dag_class.add_task = add_task

    def _hook_groups(self) -> None:
        """Note each task group where the group around it takes it in."""
        original, cls = self.group_class.add, self.group_class

        @functools.wraps(original)
        def add(group: Any, node: Any) -> Any:
            if isinstance(node, cls):
                self._note(node, sys._getframe(1))
            return original(group, node)

        cls.add = add

    def _note(self, made: Any, frame: types.FrameType) -> None:
        place = self._watch.place(frame, made)
        if place is not None:
            self.places.setdefault(id(made), place)
            self._made.append(made)


def make_database(engine: Any) -> bool:
    """Create Airflow's tables; False if this environment cannot, and the file's own error stands."""
    from airflow import models
    from airflow.models.base import Base

    try:
        models.import_all_models()
        with contextlib.suppress(ImportError):  # 2.x: foreign keys lead to the users of its auth manager
            importlib.import_module("airflow.providers.fab.auth_manager.models")
        Base.metadata.create_all(engine)
    except Exception:  # noqa: BLE001 -- a provider's models, SQLAlchemy's complaints about them
        return False
    return True


# What nearly every DAG file imports, by major version.
_COMMON = {
    3: (
        "airflow.sdk",
        *(f"airflow.providers.standard.operators.{name}" for name in ("bash", "empty", "python")),
    ),
    2: ("airflow.decorators", *(f"airflow.operators.{name}" for name in ("bash", "empty", "python"))),
}


def warm_up(version: str) -> None:
    """Import what nearly every DAG file imports, so that it does not count as the first file's doing."""
    for name in _COMMON.get(int(version.split(".", 1)[0]), ()):
        with contextlib.suppress(Exception):  # an environment may lack a provider; then the DAG file says so
            importlib.import_module(name)
