"""The DAG: a container of tasks with the arguments that the runtime reads."""

from __future__ import annotations

import copy
import os
import sys
from datetime import datetime, timedelta
from typing import Any

from airflow._impl.contexts import DagContext
from airflow._impl.exceptions import DuplicateTaskIdFound, TaskNotFound
from airflow._impl.group import TaskGroup
from airflow._impl.params import ParamsDict
from airflow._impl.settings import SETTINGS
from airflow._impl.timezone import coerce_datetime, utc

_UNSET: Any = object()

# Attributes that every DAG of Airflow has, whether they were given or not.
_DEFAULTS: dict[str, Any] = {
    "description": None,
    "end_date": None,
    "template_searchpath": None,
    "template_undefined": None,
    "user_defined_macros": None,
    "user_defined_filters": None,
    "max_active_tasks": 16,
    "max_active_runs": 16,
    "max_consecutive_failed_dag_runs": 0,
    "dagrun_timeout": None,
    "sla_miss_callback": None,
    "catchup": False,
    "on_success_callback": None,
    "on_failure_callback": None,
    "doc_md": None,
    "access_control": None,
    "is_paused_upon_creation": None,
    "jinja_environment_kwargs": None,
    "render_template_as_native_obj": False,
    "owner_links": None,
    "auto_register": True,
    "fail_fast": False,
    "dag_display_name": None,
    "deadline": None,
}

# Old spellings of arguments; Airflow 2 takes both.
_RENAMED = {
    "schedule_interval": "schedule",
    "timetable": "schedule",
    "concurrency": "max_active_tasks",
    "fail_stop": "fail_fast",
}


class DAG:
    """A DAG as far as loading a file and running one of its tasks needs it.

    Arguments that are about scheduling, display or concurrency are kept as attributes and otherwise not looked at.
    """

    def __init__(
        self,
        dag_id: str,
        description: str | None = None,
        schedule: Any = _UNSET,
        *,
        start_date: datetime | None = None,
        default_args: dict[str, Any] | None = None,
        params: Any = None,
        tags: Any = None,
        **arguments: Any,
    ) -> None:
        self.dag_id = dag_id
        for name, value in {**_DEFAULTS, **_renamed(arguments), "description": description}.items():
            setattr(self, name, value)
        self.schedule = _schedule(schedule, arguments)
        self.default_args: dict[str, Any] = copy.deepcopy(default_args or {})
        self.params = ParamsDict({**dict(params or {}), **self.default_args.pop("params", {})})
        self.tags = set(tags or ())
        self.start_date = coerce_datetime(start_date or self.default_args.get("start_date"))
        self.end_date = coerce_datetime(self.end_date or self.default_args.get("end_date"))
        if isinstance(self.template_searchpath, (str, os.PathLike)):
            self.template_searchpath = [os.fspath(self.template_searchpath)]
        self.task_dict: dict[str, Any] = {}
        self.edge_info: dict[str, dict[str, Any]] = {}
        self.fileloc = sys._getframe(1).f_code.co_filename
        self.task_group = TaskGroup.create_root(self)

    def __repr__(self) -> str:
        return f"<DAG: {self.dag_id}>"

    def __enter__(self) -> DAG:  # noqa: PYI034
        DagContext.push(self)
        return self

    def __exit__(self, *_error: object) -> None:
        DagContext.pop()

    def __hash__(self) -> int:
        return hash(self.dag_id)

    def __eq__(self, other: object) -> bool:
        return self is other

    @property
    def display_name(self) -> str:
        return self.dag_display_name or self.dag_id

    @property
    def schedule_interval(self) -> Any:
        return self.schedule

    @property
    def timetable(self) -> Any:
        """Return the schedule as it was given; the runtime reads the manifest's."""
        return self.schedule

    @property
    def timezone(self) -> Any:
        """Return the zone of start_date, UTC where it has none."""
        return self.start_date.tzinfo if self.start_date else utc

    @property
    def folder(self) -> str:
        """Return the absolute folder of the DAG file."""
        return os.path.dirname(self.fileloc)

    @property
    def filepath(self) -> str:
        return self.relative_fileloc

    @property
    def relative_fileloc(self) -> str:
        """Return the DAG file's path below the DAGs folder."""
        below = os.path.join(os.path.normpath(SETTINGS.dags_folder), "")
        path = os.path.normpath(self.fileloc)
        return path[len(below) :] if path.startswith(below) else self.fileloc

    @property
    def tasks(self) -> list[Any]:
        return list(self.task_dict.values())

    @property
    def task_ids(self) -> list[str]:
        return list(self.task_dict)

    @property
    def task_group_dict(self) -> dict[str, TaskGroup]:
        return {key: group for key, group in self.task_group.get_task_group_dict().items() if key is not None}

    @property
    def roots(self) -> list[Any]:
        return [task for task in self.tasks if not task.upstream_task_ids]

    @property
    def leaves(self) -> list[Any]:
        return [task for task in self.tasks if not task.downstream_task_ids]

    @property
    def owner(self) -> str:
        return ", ".join(sorted({task.owner for task in self.tasks}))

    def has_task(self, task_id: str) -> bool:
        return task_id in self.task_dict

    def get_task(self, task_id: str) -> Any:
        """Return a task; raises TaskNotFound if there is none with this id."""
        if task_id not in self.task_dict:
            raise TaskNotFound(f"Task {task_id} not found")
        return self.task_dict[task_id]

    def add_task(self, task: Any) -> None:
        """Take a task in; raises DuplicateTaskIdFound if its id is taken by another one."""
        known = self.task_dict.get(task.task_id)
        if known is task:
            return
        if known is not None or task.task_id in self.task_group.used_group_ids:
            raise DuplicateTaskIdFound(f"Task id '{task.task_id}' has already been added to the DAG")
        if task.task_group is None:
            self.task_group.add(task)
        task.start_date = task.start_date or self.start_date
        task._dag = self
        self.task_dict[task.task_id] = task
        self.task_group.used_group_ids.add(task.task_id)

    def add_tasks(self, tasks: Any) -> None:
        for task in tasks:
            self.add_task(task)

    def set_dependency(self, upstream_task_id: str, downstream_task_id: str) -> None:
        self.get_task(upstream_task_id).set_downstream(self.get_task(downstream_task_id))

    def get_edge_info(self, upstream_task_id: str, downstream_task_id: str) -> dict[str, Any]:
        info: dict[str, Any] = self.edge_info.get(upstream_task_id, {}).get(downstream_task_id, {})
        return info

    def set_edge_info(self, upstream_task_id: str, downstream_task_id: str, info: dict[str, Any]) -> None:
        self.edge_info.setdefault(upstream_task_id, {})[downstream_task_id] = info

    @property
    def task(self) -> Any:
        """Return ``@task`` and its variants, bound to this DAG."""
        from airflow._impl.taskflow import BoundTaskDecorators

        return BoundTaskDecorators(self)

    def param(self, name: str, default: Any = _UNSET) -> Any:
        """Return a reference to a param, resolved when a task is rendered."""
        from airflow._impl.params import DagParam

        return DagParam(self, name, *(() if default is _UNSET else (default,)))

    def get_template_env(self, *, force_sandboxed: bool = False) -> Any:
        """Return the Jinja environment of this DAG's templates."""
        from orkestra_bridge.runtime.templating import environment

        return environment(self, native=self.render_template_as_native_obj and not force_sandboxed)


def _renamed(arguments: dict[str, Any]) -> dict[str, Any]:
    return {_RENAMED.get(name, name): value for name, value in arguments.items()}


def _schedule(schedule: Any, arguments: dict[str, Any]) -> Any:
    if schedule is not _UNSET:
        return schedule
    for name in ("schedule_interval", "timetable"):
        if arguments.get(name) is not None:
            return arguments[name]
    return timedelta(days=1) if SETTINGS.major == 2 and "schedule_interval" not in arguments else None
