"""The arguments of DAGs, tasks and task groups that differ from their defaults.

A row is name, value, whether it was inherited, and whether it belongs to the operator's class rather than to every
operator.

Part of the worker program: standard library and Airflow only, Python 3.8 and later. What Airflow keeps on the object is
believed before what the constructor was given, since user code and policies may have changed it.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from .worker_values import MASK, MISSING, Encoder, differs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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
# What is in the ids of its tasks, or has reached them.
_GROUP_STRUCTURE = frozenset(
    ("group_id", "parent_group", "dag", "default_args", "prefix_group_id", "add_suffix_on_collision")
)
# DockerOperator's.
_HIDDEN = frozenset(("private_environment",))
_SCALARS = (bool, int, float, str)


class ClassFacts:
    """What is the same for every task of an operator class."""

    def __init__(self, cls: type, qualified: Any) -> None:
        self.name = cls.__name__
        self.bases = [qualified(base) for base in cls.__mro__ if base is not object]
        custom = getattr(cls, "custom_operator_name", None)
        self.decorator = custom if isinstance(custom, str) and custom.startswith("@") else None
        self.defaults: dict[str, Any] = {}
        self.own_defaults: dict[str, Any] | None = None  # those of no argument that every operator has
        self.arguments: set[str] = set()
        for base in reversed(cls.__mro__):
            if "__init__" in vars(base):
                parameters = _parameters(base)
                self.arguments.update(parameters)
                self.defaults.update(_defaults(parameters))


def _parameters(cls: type) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(cls.__init__).parameters  # type: ignore[misc]
    except (TypeError, ValueError):
        return {}


def _defaults(parameters: Mapping[str, inspect.Parameter]) -> dict[str, Any]:
    return {name: p.default for name, p in parameters.items() if p.default is not inspect.Parameter.empty}


def signature_defaults(cls: type) -> dict[str, Any]:
    """Return the arguments of a class's constructor that have a default, with it."""
    return _defaults(_parameters(cls))


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
        self._defaults = signature_defaults(dag_class)
        self._names = [name for name in self._defaults if name not in _NOT_DAG_ARGUMENTS]

    def of(self, dag: Any, given: dict[str, Any], encode: Encoder) -> Iterator[list[Any]]:
        """Yield the rows of a DAG; ``given`` is what its constructor was called with."""
        for name in ("schedule", "schedule_interval", "timetable"):
            if given.get(name) is not None and differs(given[name], self._defaults.get(name)):
                yield [name, encode(given[name]), False, False]
        for name in self._names:
            value, default = self._value(name, dag.__dict__, given)
            if name == "dag_display_name" and value == dag.dag_id:
                continue
            if differs(value, default):
                shown = param_values(value, encode) if name == "params" else encode(value)
                yield [name, shown, False, False]

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
        names = [name for name in signature_defaults(operator_class) if name not in _NOT_TASK_ARGUMENTS]
        keys = [(name, _LIVE_TASK.get(name, name)) for name in names]
        self._names = [(name, key, self._baseline.get(key)) for name, key in keys]
        self._known = frozenset(names) | _NOT_TASK_ARGUMENTS | _INTERNAL
        self._display = next((name for name in _DISPLAY if name in self._baseline), _DISPLAY[0])

    def of(self, dag: Any, task: Any, facts: ClassFacts, encode: Encoder) -> Iterator[list[Any]]:
        """Yield the rows of a task: the arguments of every operator first, then those of its class."""
        live = task.__dict__
        given = live.get("_BaseOperator__init_kwargs", {})
        inherited = _Inherited(dag, task)
        for name, key, usual in self._names:
            if key in live:
                value, default = live[key], usual
                if value is default:
                    continue
            else:
                value, default = self._elsewhere(name, live, given)
            if differs(value, default):
                yield [name, encode(value), inherited.has(name, given), False]
        yield from _dates(dag, task, given, inherited, encode)
        yield from self._params(dag, task, encode)
        for name, value in self._of_class(live, given, facts).items():
            if _is_set(value, facts.defaults.get(name, MISSING)):
                yield [name, _shown(name, value, encode), inherited.has(name, given), True]

    def _of_class(self, live: dict[str, Any], given: dict[str, Any], facts: ClassFacts) -> dict[str, Any]:
        """Return the arguments of the operator's class; a plain value set later on the object counts.

        Other values are not compared: many constructors keep theirs in another form.
        """
        values = {name: value for name, value in given.items() if name not in self._known}
        if facts.own_defaults is None:
            facts.own_defaults = {
                name: default for name, default in facts.defaults.items() if name not in self._known
            }
        for name, default in facts.own_defaults.items():
            if name in live and _rewritten(values.get(name, default), live[name]):
                values[name] = live[name]
        return values

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
                yield ["params", differing, False, False]

    def of_mapped(self, dag: Any, task: Any, facts: ClassFacts, encode: Encoder) -> Iterator[list[Any]]:
        """Yield the rows of a mapped task: what was given to ``partial``, and what it is mapped over."""
        given = task.partial_kwargs
        inherited = _Inherited(dag, task)
        for name, value in given.items():
            if name in _NOT_TASK_ARGUMENTS or name in _INTERNAL:
                continue
            default = self._baseline.get(_LIVE_TASK.get(name, name), facts.defaults.get(name, MISSING))
            if _is_set(value, default):
                shown = _shown(name, value, encode)
                yield [name, shown, inherited.has(name, given), name not in self._known]
        yield from _dates(dag, task, given, inherited, encode)
        yield from self._params(dag, task, encode)
        yield _expansion(task._get_specified_expand_input(), encode)


def _shown(name: str, value: Any, encode: Encoder) -> Any:
    """Return the value of an argument of the class, without what Airflow hides from its pages, too."""
    if name in _HIDDEN and isinstance(value, dict):
        return {str(key): MASK for key in value}
    return encode(value)


def _dates(
    dag: Any, task: Any, given: dict[str, Any], inherited: _Inherited, encode: Encoder
) -> Iterator[list[Any]]:
    """Yield the dates of a task that are not those of the DAG, which `DAG.add_task` fills in."""
    for name in ("start_date", "end_date"):
        value = getattr(task, name, None)
        if value is not None and differs(value, getattr(dag, name)):
            yield [name, encode(value), inherited.has(name, given), False]


def _expansion(expanded: Any, encode: Encoder) -> list[Any]:
    kind = "expand_kwargs" if type(expanded).__name__.startswith("ListOfDicts") else "expand"
    return [kind, encode(expanded.value), False, False]


def group_expansion(group: Any, encode: Encoder) -> list[Any]:
    """Return the row of a task in a mapped task group: the group and what it is mapped over."""
    name, value, *_ = _expansion(group._expand_input, encode)
    return [f"task_group.{name}", {"group_id": group.group_id, "over": value}, True, False]


class GroupArguments:
    """Reads the arguments of task groups."""

    def __init__(self, group_class: type) -> None:
        self._defaults = signature_defaults(group_class)

    def of(self, group: Any, encode: Encoder) -> Iterator[list[Any]]:
        """Yield the rows of a group, without those that say where it stands."""
        for name, default in self._defaults.items():
            value = getattr(group, name, default)
            if name not in _GROUP_STRUCTURE and _is_set(value, default):
                yield [name, encode(value), False, False]


def unused_default_args(dag: Any, tasks: Iterable[tuple[Any, ClassFacts]]) -> list[str]:
    """Return the names in default_args that no task takes, which Airflow passes over in silence."""
    names = set(dag.default_args or {})
    for task, facts in tasks:
        if not names:
            break
        names -= facts.arguments
        names.difference_update(getattr(task, "partial_kwargs", None) or ())
    return sorted(names)


def _is_set(value: Any, default: Any) -> bool:
    """Return True for an argument that says something; an empty collection in place of None does not."""
    if default is None and isinstance(value, (list, tuple, dict, set)) and not value:
        return False
    return differs(value, default)


def _rewritten(was: Any, now: Any) -> bool:
    return isinstance(now, _SCALARS) and type(now) is type(was) and now != was


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
