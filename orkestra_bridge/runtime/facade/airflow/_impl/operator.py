"""BaseOperator: arguments with default_args, ids with group prefixes, edges, templates, and `execute`."""

from __future__ import annotations

import copy
import functools
from abc import ABCMeta
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow._impl.contexts import DagContext, TaskGroupContext
from airflow._impl.enums import TriggerRule
from airflow._impl.exceptions import AirflowException
from airflow._impl.logs import LoggingMixin
from airflow._impl.node import DAGNode
from airflow._impl.params import ParamsDict
from airflow._impl.settings import SETTINGS
from airflow._impl.setup_blocks import SetupTeardownContext, SetupTeardownMixin
from airflow._impl.templates import Templater
from airflow._impl.timezone import coerce_datetime

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator

# BaseOperator's arguments with Airflow's defaults (`airflow/sdk/bases/operator.py`, `airflow/models/baseoperator.py`).
ARGUMENTS: dict[str, Any] = {
    "task_id": None,
    "owner": "airflow",
    "email": None,
    "email_on_retry": True,
    "email_on_failure": True,
    "retries": 0,
    "retry_delay": timedelta(seconds=300),
    "retry_exponential_backoff": False,
    "max_retry_delay": None,
    "retry_policy": None,
    "start_date": None,
    "end_date": None,
    "depends_on_past": False,
    "ignore_first_depends_on_past": True,
    "wait_for_past_depends_before_skipping": False,
    "wait_for_downstream": False,
    "dag": None,
    "params": None,
    "default_args": None,
    "priority_weight": 1,
    "weight_rule": "downstream",
    "queue": "default",
    "pool": "default_pool",
    "pool_slots": 1,
    "sla": None,
    "execution_timeout": None,
    "on_execute_callback": None,
    "on_failure_callback": None,
    "on_success_callback": None,
    "on_retry_callback": None,
    "on_skipped_callback": None,
    "pre_execute": None,
    "post_execute": None,
    "trigger_rule": "all_success",
    "resources": None,
    "run_as_user": None,
    "map_index_template": None,
    "max_active_tis_per_dag": None,
    "max_active_tis_per_dagrun": None,
    "executor": None,
    "executor_config": None,
    "do_xcom_push": True,
    "multiple_outputs": False,
    "inlets": None,
    "outlets": None,
    "task_group": None,
    "doc": None,
    "doc_md": None,
    "doc_json": None,
    "doc_yaml": None,
    "doc_rst": None,
    "task_display_name": None,
    "logger_name": None,
    "allow_nested_operators": True,
    "render_template_as_native_obj": None,
}

DEFAULT_OWNER = ARGUMENTS["owner"]
DEFAULT_POOL_SLOTS = ARGUMENTS["pool_slots"]
DEFAULT_PRIORITY_WEIGHT = ARGUMENTS["priority_weight"]
DEFAULT_QUEUE = ARGUMENTS["queue"]
DEFAULT_RETRIES = ARGUMENTS["retries"]

# Set through hooks or properties of their own, not as plain attributes.
_SPECIAL = ("task_id", "dag", "task_group", "params", "default_args", "pre_execute", "post_execute")
_DURATIONS = ("retry_delay", "max_retry_delay", "execution_timeout")


def merged_defaults(
    dag: Any, group: Any, params: Any, default_args: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the default arguments and the params that a new task gets from DAG, group and itself, the latter first."""
    arguments: dict[str, Any] = dict(dag.default_args) if dag else {}
    merged: dict[str, Any] = dict(dag.params._params) if dag else {}
    if group:
        arguments.update(group.default_args)
        merged.update(arguments.pop("params", {}) or {})
    own = dict(default_args or {})
    merged.update(own.pop("params", {}) or {})
    merged.update(params._params if isinstance(params, ParamsDict) else params or {})
    arguments.update(own)
    return copy.copy(arguments), merged


def _names(function: Callable[..., Any]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names of a constructor's arguments, and of those that have no default."""
    code = getattr(function, "__code__", None)
    if code is None or hasattr(function, "__wrapped__") or hasattr(function, "__signature__"):
        return _names_in_signature(function)
    # `inspect` and what it imports take a sixth of a cold start, and plain functions do not need it.
    positional = code.co_varnames[: code.co_argcount]
    keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    defaults = function.__defaults__ or ()
    filled = {*positional[len(positional) - len(defaults) :], *(function.__kwdefaults__ or ()), "task_id"}
    names = frozenset((*positional[1:], *keywords))
    return names, names - filled


def _names_in_signature(function: Callable[..., Any]) -> tuple[frozenset[str], frozenset[str]]:
    import inspect

    parameters = [
        p
        for p in list(inspect.signature(function).parameters.values())[1:]
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    required = frozenset(p.name for p in parameters if p.default is p.empty and p.name != "task_id")
    return frozenset(p.name for p in parameters), required


def apply_defaults(function: Callable[..., None]) -> Callable[..., None]:
    """Return a constructor that fills what is missing from default_args (`BaseOperatorMeta._apply_defaults`)."""
    if getattr(function, "_fills_defaults", False):
        return function
    names, required = _names(function)
    if getattr(function, "_is_base", False):
        names = frozenset(ARGUMENTS)

    @functools.wraps(function)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        if args:
            raise _positional(self)
        default_args = _fill(self, kwargs, names)
        missing = sorted(required - set(kwargs))
        if missing:
            listed = ", ".join(repr(name) for name in missing)
            raise TypeError(f"missing keyword argument{'s' if len(missing) > 1 else ''} {listed}")
        function(self, **kwargs, default_args=default_args)
        if type(self).__init__ is init:
            self._constructed()

    init._fills_defaults = True  # type: ignore[attr-defined]
    return init


def _positional(task: Any) -> Exception:
    kind = TypeError if SETTINGS.major > 2 else AirflowException
    return kind(f"Use keyword arguments when initializing operators ({type(task).__name__})")


def _fill(task: Any, kwargs: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    dag = kwargs.get("dag") or DagContext.get_current()
    if dag is not None:
        kwargs["dag"] = dag
    if dag is not None and not kwargs.get("task_group"):
        kwargs["task_group"] = TaskGroupContext.get_current(dag)
    params, own = kwargs.pop("params", None), kwargs.pop("default_args", None)
    default_args, merged = merged_defaults(dag, kwargs.get("task_group"), params, own)
    for name in names & default_args.keys():
        kwargs.setdefault(name, default_args[name])
    if merged:
        kwargs["params"] = merged
    hook = getattr(task, "_hook_apply_defaults", None)
    if hook:
        hook(kwargs, default_args)
    return default_args


class BaseOperatorMeta(ABCMeta):
    """Wraps every constructor of an operator class, so that default_args reach it."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any) -> Any:
        if "__init__" in namespace:
            namespace["__init__"] = apply_defaults(namespace["__init__"])
        return super().__new__(cls, name, bases, namespace, **kwargs)


class BaseOperator(SetupTeardownMixin, Templater, LoggingMixin, DAGNode, metaclass=BaseOperatorMeta):
    """Base of all operators, the user's own included."""

    template_fields: Any = ()
    template_ext: Any = ()
    template_fields_renderers: ClassVar[dict[str, str]] = {}
    ui_color = "#fff"
    ui_fgcolor = "#000"
    shallow_copy_attrs: Any = ()
    operator_extra_links: Any = ()
    inherits_from_skipmixin = False
    is_setup = False
    is_teardown = False
    on_failure_fail_dagrun = False
    is_mapped = False
    supports_lineage = False
    _dag: Any = None
    _task_group: Any = None
    _ready = False
    _plain: ClassVar[bool]
    _from_mapped = False
    _resolved_values: frozenset[int] = frozenset()

    def __init__(self, **kwargs: Any) -> None:
        group, dag = kwargs.get("task_group"), kwargs.get("dag")
        task_id = kwargs.get("task_id")
        if not isinstance(task_id, str):
            raise TypeError(f"missing keyword argument 'task_id' for {type(self).__name__}")
        self.task_id = group.child_id(task_id) if group else task_id
        self.upstream_task_ids: set[str] = set()
        self.downstream_task_ids: set[str] = set()
        self._keep(kwargs)
        self.params = ParamsDict(kwargs.get("params"))
        self._pre_execute_hook = kwargs.get("pre_execute")
        self._post_execute_hook = kwargs.get("post_execute")
        if group:
            group.add(self)
        if dag:
            dag.add_task(self)
        SetupTeardownContext.add(self)

    __init__._is_base = True  # type: ignore[attr-defined]

    def _keep(self, given: dict[str, Any]) -> None:
        """Keep the arguments under their names, those that were not given with their defaults."""
        values = {**_DEFAULTS, "inlets": [], "outlets": [], "executor_config": {}}
        values.update((name, _coerced(name, value)) for name, value in given.items() if name not in _SPECIAL)
        if _keeps_plainly(type(self)):
            self.__dict__.update(values)  # half of the time that loading a DAG file takes goes into this
            return
        for name, value in values.items():
            setattr(self, name, value)

    def _constructed(self) -> None:
        if self._from_mapped:
            return
        for field in self.template_fields:
            value = getattr(self, field, None)
            if type(value) not in _WITHOUT_REFERENCES:
                self._link(value)
        object.__setattr__(self, "_ready", True)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if self._ready and name in self.template_fields:
            self._link(value)

    def _link(self, value: Any) -> None:
        from airflow._impl.xcom_arg import XComArg

        for operator, _key in XComArg.iter_xcom_references(value):
            if operator is not self and operator.task_id not in self.upstream_task_ids:
                self.set_upstream(operator)

    def __repr__(self) -> str:
        return f"<Task({self.task_type}): {self.task_id}>"

    def __hash__(self) -> int:
        return hash((type(self), self.task_id))

    def __eq__(self, other: object) -> bool:
        return self is other

    def __lt__(self, other: Any) -> bool:
        return bool(self.task_id < other.task_id)

    @property
    def dag(self) -> Any:
        return self._dag

    @dag.setter
    def dag(self, dag: Any) -> None:
        if dag is not None and (self._dag is not dag or not dag.has_task(self.task_id)):
            dag.add_task(self)

    @property
    def task_group(self) -> Any:
        return self._task_group

    @task_group.setter
    def task_group(self, group: Any) -> None:
        object.__setattr__(self, "_task_group", group)

    @property
    def node_id(self) -> str:
        return self.task_id

    @property
    def task_type(self) -> str:
        return type(self).__name__

    @property
    def operator_name(self) -> str:
        return getattr(self, "custom_operator_name", None) or self.task_type

    @property
    def operator_class(self) -> type:
        return type(self)

    @property
    def roots(self) -> list[Any]:
        return [self]

    @property
    def leaves(self) -> list[Any]:
        return [self]

    @property
    def output(self) -> Any:
        """Return a reference to what this task will return."""
        from airflow._impl.xcom_arg import XComArg

        return XComArg(self)

    @classmethod
    def partial(cls, **kwargs: Any) -> Any:
        """Return this class with some arguments fixed, to be expanded over others."""
        from airflow._impl.mapped import OperatorPartial

        return OperatorPartial(cls, kwargs)

    def get_dag(self) -> Any:
        return self._dag

    def iter_mapped_dependants(self) -> Iterator[Any]:
        """Return the mapped tasks and task groups that are expanded over this task's result."""
        nodes = (
            [*self.dag.task_group.get_task_group_dict().values(), *self.downstream_list] if self.dag else []
        )
        return (node for node in nodes if node.is_mapped and self.task_id in node.expanded_over)

    def add_inlets(self, inlets: Any) -> None:
        self.inlets.extend(inlets)

    def add_outlets(self, outlets: Any) -> None:
        self.outlets.extend(outlets)

    def prepare_for_execution(self) -> Any:
        """Return a copy that one execution may change."""
        task = copy.copy(self)
        object.__setattr__(task, "_ready", False)
        for name in ("inlets", "outlets"):
            object.__setattr__(task, name, list(getattr(self, name, None) or []))
        return task

    def pre_execute(self, context: Any) -> None:
        """Called before execute; what the argument of the same name set, in Airflow 2."""
        if SETTINGS.major == 2 and self._pre_execute_hook is not None:
            self._pre_execute_hook(context)

    def post_execute(self, context: Any, result: Any = None) -> None:
        """Called after execute; what the argument of the same name set, in Airflow 2."""
        if SETTINGS.major == 2 and self._post_execute_hook is not None:
            self._post_execute_hook(context, result)

    def execute(self, context: Any) -> Any:
        """Do the work of the task; subclasses say what it is."""
        raise AirflowException(f"{self.task_type} does not define execute(context)")

    def on_kill(self) -> None:
        """Clean up what the task started; called when it runs into its timeout."""

    def xcom_push(self, context: Any, key: str, value: Any) -> None:
        context["ti"].xcom_push(key=key, value=value)

    def xcom_pull(self, context: Any, **kwargs: Any) -> Any:
        return context["ti"].xcom_pull(**kwargs)

    def defer(self, *, trigger: Any, method_name: str, kwargs: Any = None, timeout: Any = None) -> None:
        from airflow._impl.exceptions import TaskDeferred

        raise TaskDeferred(trigger=trigger, method_name=method_name, kwargs=kwargs, timeout=timeout)

    def resume_execution(self, next_method: str, next_kwargs: Any, context: Any) -> Any:
        """Return what a method returns that a trigger's event is for; raises TaskDeferralTimeout if none came in time."""
        from airflow._impl.exceptions import TaskDeferralTimeout

        if next_method == "__fail__":
            raise TaskDeferralTimeout((next_kwargs or {}).get("error", "Unknown"))
        return getattr(self, next_method)(context, **(next_kwargs or {}))

    @property
    def logger(self) -> logging.Logger:
        return self.log


def _coerced(name: str, value: Any) -> Any:
    if name in _DURATIONS and isinstance(value, (int, float)) and not isinstance(value, bool):
        return timedelta(seconds=value)
    if name == "trigger_rule":
        return _trigger_rule(value)
    if name in ("start_date", "end_date"):
        return coerce_datetime(value)
    if name in ("inlets", "outlets"):
        return list(value) if isinstance(value, (list, tuple, set)) else [value] if value else []
    if name == "executor_config":
        return value or {}
    return value


def _keeps_plainly(cls: type[BaseOperator]) -> bool:
    """Return True if nothing happens when an argument is set on an object of the class: no property, no `__setattr__`."""
    known: bool | None = cls.__dict__.get("_plain")
    if known is None:
        properties = any(hasattr(getattr(cls, name, None), "__set__") for name in _DEFAULTS)
        known = cls.__setattr__ is BaseOperator.__setattr__ and not properties
        cls._plain = known
    return known


def _trigger_rule(value: Any) -> TriggerRule:
    from orkestra_bridge.runtime.trigger_rules import ALIASES

    rule = str(getattr(value, "value", value))
    return TriggerRule(ALIASES.get(rule, rule))


_DEFAULTS = {name: _coerced(name, value) for name, value in ARGUMENTS.items() if name not in _SPECIAL}
_WITHOUT_REFERENCES = frozenset((str, int, float, bool, type(None)))


class BaseAsyncOperator(BaseOperator):
    """An operator whose work is a coroutine (Airflow 3.2)."""

    is_async = True

    async def aexecute(self, context: Any) -> Any:
        """Do the work of the task; subclasses say what it is."""
        raise NotImplementedError

    def execute(self, context: Any) -> Any:
        import asyncio

        async def limited() -> Any:
            timeout = self.execution_timeout
            return await asyncio.wait_for(
                self.aexecute(context), timeout.total_seconds() if timeout else None
            )

        return asyncio.run(limited())


class BaseOperatorLink:
    """A link that Airflow's user interface shows for a task; never followed here."""

    name = ""

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        return ""
