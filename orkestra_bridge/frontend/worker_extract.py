"""A DAG object as plain values, field by field as in `orkestra_bridge.ir.model`.

Part of the worker program: standard library and Airflow only, Python 3.8 and later. Live objects are read,
not Airflow's serialised form, which loses operators' own arguments.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any, Tuple

from .worker_assets import assets_of
from .worker_attributes import (
    ClassFacts,
    DagArguments,
    GroupArguments,
    TaskArguments,
    group_expansion,
    param_values,
    unused_default_args,
)
from .worker_image import image_of
from .worker_mapping import limit_at_once, mapped_groups, mapping_of
from .worker_polling import other_dag_of, polling_of
from .worker_schedule import describe_schedule
from .worker_values import Encoder, seconds

Line = Tuple[str, int]


def topological(tasks: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return the task ids in topological order, ties as defined, and those that lie on or behind a cycle."""
    rank = {task_id: number for number, task_id in enumerate(tasks)}
    waiting = {task_id: len(set(task.upstream_task_ids) & rank.keys()) for task_id, task in tasks.items()}
    ready = [rank[task_id] for task_id, count in waiting.items() if not count]
    names, order = list(tasks), []
    while ready:
        task_id = names[heappop(ready)]
        order.append(task_id)
        for below in tasks[task_id].downstream_task_ids:
            waiting[below] -= 1
            if not waiting[below]:
                heappush(ready, rank[below])
    done = set(order)
    return order, [task_id for task_id in names if task_id not in done]


def cycle(tasks: dict[str, Any], stuck: list[str]) -> list[str]:
    """Return the task ids of one cycle, first again at the end.

    ``stuck`` is what `topological` could not order.
    """
    inside = set(stuck)
    path: list[str] = []
    current = stuck[0]
    while current not in path:
        path.append(current)
        current = min(inside.intersection(tasks[current].upstream_task_ids))
    ring = path[path.index(current) :][::-1]
    start = ring.index(min(ring))
    return ring[start:] + ring[:start] + [ring[start]]


class Extractor:
    """Reads DAGs and tasks; one for the life of the worker, so that each class is inspected only once."""

    def __init__(self, dag_class: type, operator_class: type, group_class: type, version: str) -> None:
        self._version = version
        self._dag_arguments = DagArguments(dag_class)
        self._task_arguments = TaskArguments(operator_class)
        self._group_arguments = GroupArguments(group_class)
        self._classes: dict[type, ClassFacts] = {}
        self._modules: dict[str, str] = {}
        self._encode = Encoder({}, str)

    def start_file(self, encode: Encoder, modules: dict[str, str]) -> None:
        """Forget the classes of the last file; ``modules`` maps made-up module names to the user's own."""
        self._encode = encode
        self._modules = modules
        self._classes = {
            cls: facts for cls, facts in self._classes.items() if cls.__module__.startswith("airflow.")
        }

    def _qualified(self, cls: type) -> str:
        module = self._modules.get(cls.__module__, cls.__module__)
        return f"{module}.{cls.__qualname__}"

    def _facts(self, cls: type) -> ClassFacts:
        facts = self._classes.get(cls)
        if facts is None:
            facts = self._classes[cls] = ClassFacts(cls, self._qualified)
        return facts

    def dag(
        self, dag: Any, order: list[str], line: Line, lines: dict[int, Line], given: dict[str, Any]
    ) -> dict[str, Any]:
        """Return a DAG as the fields of `Workflow`; ``given`` holds the arguments of its constructor."""
        encode = self._encode
        tasks = dag.task_dict
        return {
            "dag_id": dag.dag_id,
            "span": line,
            "airflow_version": self._version,
            "schedule": describe_schedule(dag, encode),
            "tasks": [
                self.task(dag, tasks[task_id], lines.get(id(tasks[task_id]), line)) for task_id in order
            ],
            "description": encode(getattr(dag, "description", None)),
            "tags": sorted(encode(tag) for tag in dag.tags or ()),
            "start_date": encode(_earliest(dag)),
            "end_date": encode(_latest(dag)),
            "catchup": bool(dag.catchup),
            "paused": dag.is_paused_upon_creation,
            "max_active_runs": int(dag.max_active_runs),
            "dagrun_timeout": seconds(dag.dagrun_timeout),
            "params": param_values(dag.params, encode),
            "mapped_groups": mapped_groups(tasks.values()),
            "render_native": bool(dag.render_template_as_native_obj),
            "attributes": list(self._dag_arguments.of(dag, given, encode)),
            "groups": self._groups(dag, lines, line),
            "unused_default_args": unused_default_args(
                dag, ((task, self._facts(_operator_class(task))) for task in tasks.values())
            ),
        }

    def _groups(self, dag: Any, lines: dict[int, Line], line: Line) -> list[dict[str, Any]]:
        """Return the task groups that were given something, as the fields of `TaskGroup`."""
        found = []
        for group_id, group in sorted(dag.task_group.get_task_group_dict().items(), key=_by_id):
            rows = list(self._group_arguments.of(group, self._encode))
            if rows and group_id is not None:
                found.append({"group_id": group_id, "span": lines.get(id(group), line), "attributes": rows})
        return found

    def task(self, dag: Any, task: Any, line: Line) -> dict[str, Any]:
        """Return a task as the fields of `Task`."""
        mapped = _is_mapped(task)
        facts = self._facts(_operator_class(task))
        read = self._task_arguments.of_mapped if mapped else self._task_arguments.of
        attributes = list(read(dag, task, facts, self._encode))
        mapped_group = task.get_closest_mapped_task_group()
        if mapped_group is not None:
            attributes.append(group_expansion(mapped_group, self._encode))
        group = task.task_group
        kind = _operator_class(task)
        image = image_of(task, kind, mapped, self._encode, self._qualified)
        backoff = task.retry_exponential_backoff
        return {
            "task_id": task.task_id,
            "operator": facts.name,
            "bases": facts.bases,
            "span": line,
            "decorator": facts.decorator,
            "upstream": sorted(task.upstream_task_ids),
            "trigger_rule": self._encode(task.trigger_rule),
            "retry": {
                "attempts": int(task.retries or 0),
                "delay": seconds(task.retry_delay),
                "backoff": 2.0 if backoff is True else max(1.0, float(backoff or 1)),
                "max_delay": seconds(getattr(task, "max_retry_delay", None)),
                "policy": getattr(task, "retry_policy", None) is not None,
            },
            "execution_timeout": seconds(task.execution_timeout),
            "ignore_downstream_trigger_rules": self._ignores_rules(task, mapped),
            "mapped": mapped or mapped_group is not None,
            "expansion": mapping_of(task._get_specified_expand_input()) if mapped else None,
            "mapped_group": mapped_group.group_id if mapped_group is not None else None,
            "max_active": limit_at_once(task),
            "is_setup": bool(task.is_setup),
            "is_teardown": bool(task.is_teardown),
            "on_failure_fail_dagrun": bool(task.on_failure_fail_dagrun),
            "inlets": assets_of(task.inlets),
            "outlets": assets_of(task.outlets),
            "polling": None if image else polling_of(task, kind, mapped),
            "calls": other_dag_of(task, kind, mapped),
            "image": image,
            "group": group.group_id if group is not None else None,
            "doc": self._encode(task.doc_md or task.doc),
            "attributes": attributes,
        }

    def _ignores_rules(self, task: Any, mapped: bool) -> bool:
        source = task.partial_kwargs if mapped else task.__dict__
        return bool(source.get("ignore_downstream_trigger_rules", True))


def _is_mapped(task: Any) -> bool:
    return getattr(task, "partial_kwargs", None) is not None


def _operator_class(task: Any) -> type:
    cls: type = task.operator_class if _is_mapped(task) else type(task)
    return cls


def _by_id(item: tuple[Any, Any]) -> str:
    return item[0] or ""


def _earliest(dag: Any) -> Any:
    """Return the first date that Airflow schedules from (`DAG._time_restriction`)."""
    dates = [task.start_date for task in dag.task_dict.values() if task.start_date]
    if dag.start_date is not None:
        dates.append(dag.start_date)
    return min(dates) if dates else None


def _latest(dag: Any) -> Any:
    """Return the date after which Airflow schedules nothing (`DAG._time_restriction`)."""
    dates: set[Any] = {task.end_date for task in dag.task_dict.values()}
    if not dates or None in dates:
        return dag.end_date
    if dag.end_date is not None:
        dates.add(dag.end_date)
    return max(dates)
