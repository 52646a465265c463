"""The arguments of DAGs and tasks that differ from their defaults, as rows of name, value and whether it was inherited.

Part of the worker program: standard library and Airflow only, Python 3.8 and later. What Airflow keeps on the object is
believed before what the constructor was given, since user code and policies may have changed it.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from .worker_values import MISSING, Encoder, differs

if TYPE_CHECKING:
    from collections.abc import Iterator

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
# What @task and expand add on their own behalf.
_INTERNAL = frozenset(("kwargs_to_upstream", "is_setup", "is_teardown", "on_failure_fail_dagrun"))


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


def param_values(params: Any, encode: Encoder) -> dict[str, Any]:
    """Return the params that have a default value."""
    values = {}
    for name in params:
        param = params.get_param(name) if hasattr(params, "get_param") else params[name]
        value = getattr(param, "value", param)
        if type(value).__name__ != "ArgNotSet":
            values[str(name)] = encode(value)
    return values


class DagArguments:
    """Reads the arguments of DAGs against those of a DAG that was given none."""

    def __init__(self, dag_class: type) -> None:
        self._baseline = dag_class("baseline").__dict__
        self._defaults = _signature_defaults(dag_class)
        self._names = [name for name in self._defaults if name not in _NOT_DAG_ARGUMENTS]

    def of(self, dag: Any, given: dict[str, Any], encode: Encoder) -> Iterator[list[Any]]:
        """Yield the rows of a DAG; ``given`` is what its constructor was called with."""
        for name in ("schedule", "schedule_interval", "timetable"):
            if given.get(name) is not None and differs(given[name], self._defaults.get(name)):
                yield [name, encode(given[name]), False]
        for name in self._names:
            value, default = self._value(name, dag.__dict__, given)
            if name == "dag_display_name" and value == dag.dag_id:
                continue
            if differs(value, default):
                yield [name, param_values(value, encode) if name == "params" else encode(value), False]

    def _value(self, name: str, live: dict[str, Any], given: dict[str, Any]) -> tuple[Any, Any]:
        """Return value and default of an argument, which may be kept under a private name or nowhere."""
        for key in (name, "_" + name, "_dag_display_property_value" if name == "dag_display_name" else name):
            if key in live:
                return live[key], self._baseline.get(key)
        return given.get(name, self._defaults.get(name)), self._defaults.get(name)


class TaskArguments:
    """Reads the arguments of tasks against those of an operator that was given none."""

    def __init__(self, operator_class: type) -> None:
        self._baseline = operator_class(task_id="baseline").__dict__
        names = [name for name in _signature_defaults(operator_class) if name not in _NOT_TASK_ARGUMENTS]
        self._names = [(name, _LIVE_TASK.get(name, name)) for name in names]
        self._known = frozenset(names) | _NOT_TASK_ARGUMENTS | _INTERNAL
        self._display = next((name for name in _DISPLAY if name in self._baseline), _DISPLAY[0])

    def of(self, dag: Any, task: Any, facts: ClassFacts, encode: Encoder) -> Iterator[list[Any]]:
        """Yield the rows of a task: the arguments of every operator first, then those of its class."""
        live = task.__dict__
        given = live.get("_BaseOperator__init_kwargs", {})
        inherited = _Inherited(dag, task)
        for name, key in self._names:
            if key in live:
                value, default = live[key], self._baseline.get(key)
                if value is default:
                    continue
            else:
                value, default = self._elsewhere(name, live, given)
            if differs(value, default):
                yield [name, encode(value), inherited.has(name, given)]
        for name in ("start_date", "end_date"):  # DAG.add_task fills in those of the DAG
            value = live.get(name)
            if value is not None and differs(value, getattr(dag, name)):
                yield [name, encode(value), inherited.has(name, given)]
        yield from self._params(dag, task, encode)
        for name, value in given.items():
            if name not in self._known and _is_set(value, facts.defaults.get(name, MISSING)):
                yield [name, encode(value), inherited.has(name, given)]

    def _elsewhere(self, name: str, live: dict[str, Any], given: dict[str, Any]) -> tuple[Any, Any]:
        """Return value and default of an argument that Airflow accepts without keeping it under its name."""
        if name == "task_display_name":
            return live.get(self._display), None
        default = self._baseline.get(name)
        return given.get(name, default), default

    def _params(self, dag: Any, task: Any, encode: Encoder) -> Iterator[list[Any]]:
        """Yield a task's own params: Airflow merges those of the DAG into them."""
        if task.params:
            shared = param_values(dag.params, encode)
            own = param_values(task.params, encode).items()
            differing = {name: value for name, value in own if shared.get(name, MISSING) != value}
            if differing:
                yield ["params", differing, False]

    def of_mapped(self, dag: Any, task: Any, facts: ClassFacts, encode: Encoder) -> Iterator[list[Any]]:
        """Yield the rows of a mapped task: what was given to ``partial``, and what it is mapped over."""
        given = task.partial_kwargs
        inherited = _Inherited(dag, task)
        for name, value in given.items():
            if name in _NOT_TASK_ARGUMENTS or name in _INTERNAL:
                continue
            default = self._baseline.get(_LIVE_TASK.get(name, name), facts.defaults.get(name, MISSING))
            if _is_set(value, default):
                yield [name, encode(value), inherited.has(name, given)]
        yield from self._params(dag, task, encode)
        yield _expansion(task._get_specified_expand_input(), encode)


def _expansion(expanded: Any, encode: Encoder) -> list[Any]:
    kind = "expand_kwargs" if type(expanded).__name__.startswith("ListOfDicts") else "expand"
    return [kind, encode(expanded.value), False]


def group_expansion(group: Any, encode: Encoder) -> list[Any]:
    """Return the row of a task in a mapped task group: the group and what it is mapped over."""
    name, value, _ = _expansion(group._expand_input, encode)
    return [f"task_group.{name}", {"group_id": group.group_id, "over": value}, True]


def _is_set(value: Any, default: Any) -> bool:
    """Return True for an argument that says something; an empty collection in place of None does not."""
    if default is None and isinstance(value, (list, tuple, dict, set)) and not value:
        return False
    return differs(value, default)


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
