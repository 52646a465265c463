"""The TaskFlow API: ``@task`` and its variants, ``@setup`` and ``@teardown``."""

from __future__ import annotations

import copy
import functools
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, get_type_hints

from airflow._impl.bash import BashOperator
from airflow._impl.contexts import DagContext, TaskGroupContext
from airflow._impl.enums import TriggerRule
from airflow._impl.exceptions import AirflowException
from airflow._impl.expand_input import (
    DictOfListsExpandInput,
    ListOfDictsExpandInput,
    check_expandable,
)
from airflow._impl.mapped import MappedOperator
from airflow._impl.operator import BaseOperator
from airflow._impl.python import BranchPythonOperator, PythonOperator, ShortCircuitOperator, determine_kwargs
from airflow._impl.settings import SETTINGS
from airflow._impl.xcom_arg import XComArg
from orkestra_bridge.runtime.context_keys import KNOWN_KEYS

if TYPE_CHECKING:
    from inspect import Signature


def get_unique_task_id(task_id: str, dag: Any = None, task_group: Any = None) -> str:
    """Return the id, with ``__1``, ``__2``... behind it if it is taken."""
    dag = dag or DagContext.get_current()
    if not dag:
        return task_id
    group = task_group or TaskGroupContext.get_current(dag)
    full = group.child_id(task_id) if group else task_id
    if full not in dag.task_dict:
        return task_id
    pattern = re.compile(rf"{re.escape(_core(full))}__(\d+)")
    taken = [int(match[1]) for known in dag.task_dict if (match := pattern.fullmatch(known))]
    return f"{_core(task_id)}__{max(taken, default=0) + 1}"


def _core(task_id: str) -> str:
    return re.split(r"__\d+$", task_id)[0]


def _bindable(function: Callable[..., Any]) -> Signature:
    """Return the signature with context keys made optional, for they are filled in when the task runs."""
    import inspect

    signature = inspect.signature(function)
    empty = inspect.Parameter.empty
    parameters = []
    optional = False
    for given in signature.parameters.values():
        parameter = given
        if parameter.name in KNOWN_KEYS:
            if parameter.default not in (None, empty):
                raise ValueError(
                    f"Context key parameter {parameter.name} can't have a default other than None"
                )
            parameter = parameter.replace(default=None)
        elif optional and parameter.default is empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            parameter = parameter.replace(default=None)
        optional = optional or parameter.default is not empty
        parameters.append(parameter)
    return signature.replace(parameters=parameters)


class DecoratedOperator(BaseOperator):
    """The task that a decorated function becomes when it is called."""

    template_fields: Any = ("op_args", "op_kwargs")
    template_fields_renderers: ClassVar[dict[str, str]] = {"op_args": "py", "op_kwargs": "py"}
    shallow_copy_attrs: Any = ("python_callable",)
    custom_operator_name = "@task"

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        task_id: str,
        op_args: Any = None,
        op_kwargs: Any = None,
        kwargs_to_upstream: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        task_id = get_unique_task_id(task_id, kwargs.get("dag"), kwargs.get("task_group"))
        op_args, op_kwargs = list(op_args or []), dict(op_kwargs or {})
        _bindable(python_callable).bind(*op_args, **op_kwargs)
        self.python_callable = python_callable
        self.op_args = op_args
        self.op_kwargs = op_kwargs
        super().__init__(task_id=task_id, **(kwargs_to_upstream or {}), **kwargs)

    def _hook_apply_defaults(self, kwargs: dict[str, Any], default_args: dict[str, Any]) -> None:
        if "python_callable" in kwargs:
            from inspect import signature

            names = signature(kwargs["python_callable"]).parameters
            fill = {name: default_args[name] for name in names if name in default_args}
            kwargs["op_kwargs"] = {**fill, **(kwargs.get("op_kwargs") or {})}

    def determine_kwargs(self, context: Any) -> Any:
        return determine_kwargs(self.python_callable, self.op_args, context)


class _PythonDecoratedOperator(DecoratedOperator, PythonOperator):
    template_fields: Any = ("templates_dict", "op_args", "op_kwargs")
    custom_operator_name = "@task"

    def __init__(
        self, *, python_callable: Any, op_args: Any = None, op_kwargs: Any = None, **kwargs: Any
    ) -> None:
        upstream = {"python_callable": python_callable, "op_args": op_args, "op_kwargs": op_kwargs}
        super().__init__(
            kwargs_to_upstream=upstream,
            python_callable=python_callable,
            op_args=op_args,
            op_kwargs=op_kwargs,
            **kwargs,
        )


class _BranchPythonDecoratedOperator(_PythonDecoratedOperator, BranchPythonOperator):
    template_fields: Any = BranchPythonOperator.template_fields
    custom_operator_name = "@task.branch"

    def choose_branch(self, context: Any) -> Any:
        return PythonOperator.execute(self, context)

    def execute(self, context: Any) -> Any:
        return self.do_branch(context, self.choose_branch(context))


class _ShortCircuitDecoratedOperator(_PythonDecoratedOperator, ShortCircuitOperator):
    template_fields: Any = ShortCircuitOperator.template_fields
    custom_operator_name = "@task.short_circuit"


class _BashDecoratedOperator(DecoratedOperator, BashOperator):
    template_fields: Any = (*DecoratedOperator.template_fields, *BashOperator.template_fields)
    custom_operator_name = "@task.bash"

    def __init__(
        self, *, python_callable: Any, op_args: Any = None, op_kwargs: Any = None, **kwargs: Any
    ) -> None:
        # Airflow 2 has no output_processor, and ignores this for want of a dict.
        several = kwargs.pop("multiple_outputs", None) and SETTINGS.major > 2
        super().__init__(
            kwargs_to_upstream={"bash_command": None},
            python_callable=python_callable,
            op_args=op_args,
            op_kwargs=op_kwargs,
            multiple_outputs=bool(several),
            **kwargs,
        )

    def execute(self, context: Any) -> Any:
        context.update(self.op_kwargs)
        kwargs = self.determine_kwargs(context)
        self.bash_command = self.python_callable(*self.op_args, **kwargs)
        if not isinstance(self.bash_command, str) or not self.bash_command.strip():
            raise TypeError("The returned value from the TaskFlow callable must be a non-empty string.")
        self._from_file = self._is_file(self.bash_command)
        self.bash_command = self.render_template(self.bash_command, context)
        return BashOperator.execute(self, context)


def unwrap_callable(func: Any) -> Any:
    """Return the plain function inside of decorators and partials."""
    import inspect

    while True:
        if isinstance(func, functools.partial):
            func = func.func
        elif isinstance(func, _TaskDecorator):
            func = func.function
        else:
            inner = inspect.unwrap(func)
            if inner is func:
                return func
            func = inner


def is_async_callable(func: Any) -> bool:
    """Return True for a coroutine function, or an object that is called like one."""
    import inspect

    func = unwrap_callable(func)
    return any(inspect.iscoroutinefunction(each) for each in (func, vars(type(func)).get("__call__")))


def infers_multiple_outputs(function: Callable[..., Any]) -> bool:
    """Return True if the return annotation is a mapping (Dict, TypedDict...), as Airflow infers multiple_outputs."""
    annotations = getattr(function, "__annotations__", {})
    if "return" not in annotations:
        return False

    def annotated() -> None: ...

    annotated.__annotations__ = {"return": annotations["return"]}
    try:
        hint = get_type_hints(annotated, getattr(function, "__globals__", {})).get("return", Any)
    except (NameError, TypeError):
        return False
    kind = getattr(hint, "__origin__", hint)
    if not SETTINGS.at_least(2, 8):
        return kind is dict
    return isinstance(kind, type) and issubclass(kind, Mapping)


class _TaskDecorator:
    """A decorated function: calling it makes a task."""

    is_setup = False
    is_teardown = False
    on_failure_fail_dagrun = False

    def __init__(
        self,
        function: Callable[..., Any],
        operator_class: type[BaseOperator],
        multiple_outputs: bool | None,
        kwargs: dict[str, Any],
    ) -> None:
        from inspect import signature

        if "self" in signature(function).parameters:
            raise TypeError(f"{operator_class.__name__} does not support methods")
        self.function = function
        self.operator_class = operator_class
        self.multiple_outputs = (
            infers_multiple_outputs(function) if multiple_outputs is None else multiple_outputs
        )
        self.kwargs = {"task_id": getattr(function, "__name__", "task"), **kwargs}
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        fixed = dict(self.kwargs)
        op_kwargs = {**fixed.pop("op_kwargs", {}), **kwargs}
        on_failure = fixed.pop("on_failure_fail_dagrun", self.on_failure_fail_dagrun)
        if self.is_teardown:
            if "trigger_rule" in fixed:
                raise ValueError("Trigger rule not configurable for teardown tasks.")
            fixed["trigger_rule"] = TriggerRule.ALL_DONE_SETUP_SUCCESS
        task = self.operator_class(
            python_callable=self.function,
            op_args=args,
            op_kwargs=op_kwargs,
            multiple_outputs=self.multiple_outputs,
            **fixed,
        )
        task.is_setup, task.is_teardown = self.is_setup, self.is_teardown
        task.on_failure_fail_dagrun = on_failure
        documented = any(getattr(task, name) for name in ("doc", "doc_json", "doc_md", "doc_rst", "doc_yaml"))
        if self.function.__doc__ and not documented:
            task.doc_md = self.function.__doc__  # type: ignore[attr-defined]
        return XComArg(task)

    def _again(self, kwargs: dict[str, Any]) -> _TaskDecorator:
        other = copy.copy(self)
        other.kwargs = kwargs
        return other

    def override(self, **kwargs: Any) -> _TaskDecorator:
        """Return the decorated function with other arguments for its operator."""
        other = self._again({**self.kwargs, **kwargs})
        if "multiple_outputs" in kwargs:
            other.multiple_outputs = other.kwargs.pop("multiple_outputs")
        return other

    def partial(self, **kwargs: Any) -> _TaskDecorator:
        """Return the decorated function with some arguments fixed, to be expanded over others."""
        fixed = self.kwargs.get("op_kwargs", {})
        twice = sorted(set(fixed) & set(kwargs))
        if twice:
            raise TypeError(f"duplicate partial argument: {', '.join(twice)}")
        return self._again({**self.kwargs, "op_kwargs": {**kwargs, **fixed}})

    def expand(self, **arguments: Any) -> Any:
        """Return a reference to the mapped task over the cross product of the arguments."""
        check_expandable(arguments, self.kwargs.get("op_kwargs", {}))
        return self._expand(DictOfListsExpandInput(arguments))

    def expand_kwargs(self, kwargs: Any, *, strict: bool = True) -> Any:
        """Return a reference to the mapped task over a list of argument sets, or over a reference to one."""
        return self._expand(ListOfDictsExpandInput(kwargs), strict=strict)

    def _expand(self, expand_input: Any, *, strict: bool = True) -> Any:
        fixed = dict(self.kwargs)
        task_id = get_unique_task_id(fixed.pop("task_id"), fixed.get("dag"), fixed.get("task_group"))
        flags = {"is_setup": self.is_setup, "is_teardown": self.is_teardown}
        task = MappedOperator(
            operator_class=self.operator_class,
            task_id=task_id,
            partial_kwargs={
                "op_args": [],
                "op_kwargs": {},
                **flags,
                "python_callable": self.function,
                "multiple_outputs": self.multiple_outputs,
                **fixed,
            },
            expand_input=expand_input,
            strict=strict,
            decorated=True,
        )
        return XComArg(task)


class TaskDecorator:
    """The type of what `task_decorator_factory` returns, for annotations."""


DecoratedMappedOperator = MappedOperator


def task_decorator_factory(
    python_callable: Any = None,
    *,
    multiple_outputs: bool | None = None,
    decorated_operator_class: type[BaseOperator],
    **kwargs: Any,
) -> Any:
    """Return the decorated function, or the decorator where only arguments were given."""
    if multiple_outputs is None:
        multiple_outputs = kwargs.pop("multiple_outputs", None)
    if python_callable is not None:
        if isinstance(python_callable, _TaskDecorator):
            raise AirflowException(f"{python_callable} is decorated twice")
        return _TaskDecorator(python_callable, decorated_operator_class, multiple_outputs, kwargs)
    return lambda function: _TaskDecorator(function, decorated_operator_class, multiple_outputs, kwargs)


class TaskDecoratorCollection:
    """``task`` itself: ``@task``, ``@task.branch``..."""

    def __call__(
        self, python_callable: Any = None, *, multiple_outputs: bool | None = None, **kwargs: Any
    ) -> Any:
        return self.python(python_callable, multiple_outputs=multiple_outputs, **kwargs)

    def python(
        self, python_callable: Any = None, *, multiple_outputs: bool | None = None, **kwargs: Any
    ) -> Any:
        return task_decorator_factory(
            python_callable,
            multiple_outputs=multiple_outputs,
            decorated_operator_class=_PythonDecoratedOperator,
            **kwargs,
        )

    def branch(self, python_callable: Any = None, **kwargs: Any) -> Any:
        return task_decorator_factory(
            python_callable, decorated_operator_class=_BranchPythonDecoratedOperator, **kwargs
        )

    def short_circuit(self, python_callable: Any = None, **kwargs: Any) -> Any:
        return task_decorator_factory(
            python_callable, decorated_operator_class=_ShortCircuitDecoratedOperator, **kwargs
        )

    def bash(self, python_callable: Any = None, **kwargs: Any) -> Any:
        return task_decorator_factory(
            python_callable, decorated_operator_class=_BashDecoratedOperator, **kwargs
        )

    def sensor(self, python_callable: Any = None, **kwargs: Any) -> Any:
        from airflow._impl.calling_sensors import DecoratedSensorOperator

        return task_decorator_factory(
            python_callable,
            multiple_outputs=False,
            decorated_operator_class=DecoratedSensorOperator,
            **kwargs,
        )

    def __getattr__(self, name: str) -> Any:
        from airflow._impl import environments, images

        kind: Any = {**images.DECORATED, **environments.DECORATED}.get(name)
        if kind is not None:
            return lambda python_callable=None, **kwargs: task_decorator_factory(
                python_callable, decorated_operator_class=kind, **kwargs
            )
        raise AttributeError(
            f"@task.{name} is not available in the task runtime; it knows @task, @task.branch, @task.bash, "
            "@task.short_circuit, @task.docker, @task.kubernetes and @task.sensor. Rewrite the task as one of them"
        )


task = TaskDecoratorCollection()


class BoundTaskDecorators:
    """``dag.task``: the decorators with the DAG given."""

    def __init__(self, dag: Any) -> None:
        self._dag = dag

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return task(*args, **{"dag": self._dag, **kwargs})

    def __getattr__(self, name: str) -> Any:
        decorator = getattr(task, name)
        return lambda *args, **kwargs: decorator(*args, **{"dag": self._dag, **kwargs})


def setup_task(func: Any) -> Any:
    """Return the function or task as one that sets something up."""
    decorated = func if isinstance(func, _TaskDecorator) else task(func)
    decorated.is_setup = True
    return decorated


def teardown_task(_func: Any = None, *, on_failure_fail_dagrun: bool = False) -> Any:
    """Return the function or task as one that cleans up."""

    def mark(func: Any) -> Any:
        decorated = func if isinstance(func, _TaskDecorator) else task(func)
        decorated.is_teardown = True
        decorated.on_failure_fail_dagrun = on_failure_fail_dagrun
        return decorated

    return mark if _func is None else mark(_func)
