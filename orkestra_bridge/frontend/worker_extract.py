"""A DAG object as plain values, field by field as in `orkestra_bridge.ir.model`.

Part of the worker program: standard library and Airflow only, Python 3.8 and later. Live objects are read,
not Airflow's serialised form, which loses operators' own arguments.
"""

from __future__ import annotations

import inspect
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, Tuple

from .worker_schedule import describe_schedule
from .worker_values import MISSING, Encoder, differs, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

_CALLBACKS = (
    "on_execute_callback",
    "on_failure_callback",
    "on_success_callback",
    "on_retry_callback",
    "on_skipped_callback",
    "_pre_execute_hook",
    "_post_execute_hook",
)
_PARTIAL_CALLBACKS = tuple(name.replace("_hook", "").lstrip("_") for name in _CALLBACKS)
_LIVE_TASK = {
    "pre_execute": "_pre_execute_hook",
    "post_execute": "_post_execute_hook",
    "logger_name": "_logger_name",
}
_DISPLAY = ("_task_display_name", "_task_display_property_value")
_NOT_TASK_ARGUMENTS = frozenset(
    (
        "self",
        "args",
        "kwargs",
        "task_id",
        "dag",
        "task_group",
        "default_args",
        "params",
        "start_date",
        "end_date",
    )
)
_NOT_DAG_ARGUMENTS = frozenset(("self", "dag_id", "schedule", "schedule_interval", "timetable", "task_group"))
# What @task adds on its own behalf.
_INTERNAL = frozenset(("kwargs_to_upstream", "task_display_name_default"))

Line = Tuple[str, int]


class ClassFacts:
    """What is the same for every task of an operator class."""

    def __init__(self, cls: type, qualified: Any) -> None:
        self.name = cls.__name__
        self.bases = [qualified(base) for base in cls.__mro__ if base is not object]
        custom = getattr(cls, "custom_operator_name", None)
        self.decorator = custom if isinstance(custom, str) and custom.startswith("@") else None
        self.defaults: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            if "__init__" in vars(base):
                self.defaults.update(_signature_defaults(base))


def _signature_defaults(cls: type) -> dict[str, Any]:
    try:
        parameters = inspect.signature(cls.__init__).parameters.values()  # type: ignore[misc]
    except (TypeError, ValueError):
        return {}
    return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}


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

    def __init__(self, dag_class: type, operator_class: type, version: str) -> None:
        self._version = version
        self._operator = operator_class(task_id="baseline").__dict__
        self._operator_names = [
            n for n in _signature_defaults(operator_class) if n not in _NOT_TASK_ARGUMENTS
        ]
        self._known = frozenset(self._operator_names) | _NOT_TASK_ARGUMENTS | _INTERNAL
        self._dag = dag_class("baseline").__dict__
        self._dag_names = [n for n in _signature_defaults(dag_class) if n not in _NOT_DAG_ARGUMENTS]
        self._dag_defaults = _signature_defaults(dag_class)
        self._classes: dict[type, ClassFacts] = {}
        self._display = next((name for name in _DISPLAY if name in self._operator), _DISPLAY[0])
        self._modules: dict[str, str] = {}
        self._encode = Encoder("/", str)

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
            "schedule": describe_schedule(dag, encode.described),
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
            "params": self._params(dag.params),
            "render_native": bool(dag.render_template_as_native_obj),
            "attributes": list(self._dag_attributes(dag, given)),
        }

    def _params(self, params: Any) -> dict[str, Any]:
        values = {}
        for name in params:
            param = params.get_param(name) if hasattr(params, "get_param") else params[name]
            value = getattr(param, "value", param)
            if type(value).__name__ not in ("ArgNotSet", "NOTSET", "SetParamValue"):
                values[str(name)] = self._encode(value)
        return values

    def _dag_attributes(self, dag: Any, given: dict[str, Any]) -> Iterator[list[Any]]:
        for name in ("schedule", "schedule_interval", "timetable"):
            if differs(given.get(name), self._dag_defaults.get(name)) and given.get(name) is not None:
                yield [name, self._encode(given[name]), False]
        live = dag.__dict__
        for name in self._dag_names:
            value, default = _live(name, live, self._dag, given, self._dag_defaults)
            if name == "dag_display_name" and value == dag.dag_id:
                continue
            if differs(value, default):
                yield [name, self._params(value) if name == "params" else self._encode(value), False]

    def task(self, dag: Any, task: Any, line: Line) -> dict[str, Any]:
        """Return a task as the fields of `Task`."""
        mapped = getattr(task, "partial_kwargs", None) is not None
        facts = self._facts(task.operator_class if mapped else type(task))
        group = task.task_group
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
            },
            "execution_timeout": seconds(task.execution_timeout),
            "ignore_downstream_trigger_rules": self._ignores_rules(task, mapped),
            "mapped": mapped,
            "is_setup": bool(task.is_setup),
            "is_teardown": bool(task.is_teardown),
            "on_failure_fail_dagrun": bool(task.on_failure_fail_dagrun),
            "has_callbacks": _has_callbacks(task, mapped),
            "outlets": bool(task.outlets),
            "group": group.group_id if group is not None else None,
            "doc": self._encode(task.doc_md or task.doc),
            "attributes": list(
                self._mapped_attributes(dag, task, facts) if mapped else self._attributes(dag, task, facts)
            ),
        }

    def _ignores_rules(self, task: Any, mapped: bool) -> bool:
        source = task.partial_kwargs if mapped else task.__dict__
        return bool(source.get("ignore_downstream_trigger_rules", True))

    def _attributes(self, dag: Any, task: Any, facts: ClassFacts) -> Iterator[list[Any]]:
        live = task.__dict__
        given = live.get("_BaseOperator__init_kwargs", {})
        baseline = self._operator
        inherited = _Inherited(dag, task)
        for name in self._operator_names:
            key = _LIVE_TASK.get(name, name)
            if key in live:
                value = live[key]
                default = baseline.get(key)
                if value is default:
                    continue
            else:
                value, default = self._elsewhere(name, live, given)
            if differs(value, default):
                yield [name, self._encode(value), inherited.has(name, given)]
        yield from self._dates(dag, live, given, inherited)
        yield from self._task_params(dag, task)
        for name, value in given.items():
            if name not in self._known and _is_set(value, facts.defaults.get(name, MISSING)):
                yield [name, self._encode(value), inherited.has(name, given)]

    def _elsewhere(self, name: str, live: dict[str, Any], given: dict[str, Any]) -> tuple[Any, Any]:
        if name == "task_display_name":
            return live.get(self._display), None
        default = self._facts_default(name)
        return given.get(name, default), default

    def _facts_default(self, name: str) -> Any:
        return self._operator.get(name)

    def _dates(
        self, dag: Any, live: dict[str, Any], given: dict[str, Any], inherited: Any
    ) -> Iterator[list[Any]]:
        """Yield a task's own dates: DAG.add_task fills in those of the DAG."""
        for name in ("start_date", "end_date"):
            value = live.get(name)
            if value is not None and differs(value, getattr(dag, name)):
                yield [name, self._encode(value), inherited.has(name, given)]

    def _task_params(self, dag: Any, task: Any) -> Iterator[list[Any]]:
        """Yield a task's own params: Airflow merges those of the DAG into them."""
        if not task.params:
            return
        shared = self._params(dag.params)
        own = {
            name: value
            for name, value in self._params(task.params).items()
            if shared.get(name, MISSING) != value
        }
        if own:
            yield ["params", own, False]

    def _mapped_attributes(self, dag: Any, task: Any, facts: ClassFacts) -> Iterator[list[Any]]:
        given = task.partial_kwargs
        inherited = _Inherited(dag, task)
        for name, value in given.items():
            if name in _NOT_TASK_ARGUMENTS or name in ("is_setup", "is_teardown", "on_failure_fail_dagrun"):
                continue
            default = self._operator.get(_LIVE_TASK.get(name, name), facts.defaults.get(name, MISSING))
            if _is_set(value, default):
                yield [name, self._encode(value), inherited.has(name, given)]
        yield from self._task_params(dag, task)
        expanded = task._get_specified_expand_input()
        kind = "expand_kwargs" if type(expanded).__name__.startswith("ListOfDicts") else "expand"
        yield [kind, self._encode(expanded.value), False]


def _is_set(value: Any, default: Any) -> bool:
    """Return True for an argument that says something; an empty collection in place of None does not."""
    if default is None and isinstance(value, (list, tuple, dict, set)) and not value:
        return False
    return differs(value, default)


def _live(
    name: str, live: dict[str, Any], baseline: dict[str, Any], given: dict[str, Any], defaults: dict[str, Any]
) -> tuple[Any, Any]:
    """Return value and default of a DAG's argument, which may be kept under a private name or nowhere."""
    for key in (name, "_" + name, "_dag_display_property_value" if name == "dag_display_name" else name):
        if key in live:
            return live[key], baseline.get(key)
    return given.get(name, defaults.get(name)), defaults.get(name)


class _Inherited:
    """Tells whether an argument came from default_args.

    Looks them up only when the first one is asked for.
    """

    def __init__(self, dag: Any, task: Any) -> None:
        self._dag = dag
        self._task = task
        self._merged: dict[str, Any] | None = None

    def has(self, name: str, given: dict[str, Any]) -> bool:
        """Return True if the argument has the value that default_args give it."""
        if self._merged is None:
            self._merged = _default_args(self._dag, self._task)
        if name not in self._merged:
            return False
        return name not in given or not differs(given[name], self._merged[name])


def _default_args(dag: Any, task: Any) -> dict[str, Any]:
    """Return what a task inherits; inner task groups win (`airflow.utils.task_group`)."""
    levels = []
    group = task.task_group
    while group is not None:
        levels.append(getattr(group, "default_args", None) or {})
        group = getattr(group, "parent_group", None)
    merged = dict(dag.default_args or {})
    for level in reversed(levels):
        merged.update(level)
    return merged


def _has_callbacks(task: Any, mapped: bool) -> bool:
    source, names = (task.partial_kwargs, _PARTIAL_CALLBACKS) if mapped else (task.__dict__, _CALLBACKS)
    return any(source.get(name) for name in names)


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
