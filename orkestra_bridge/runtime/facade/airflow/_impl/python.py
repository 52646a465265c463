"""PythonOperator and the operators that are made of it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar

from airflow._impl.assets import Metadata
from airflow._impl.exceptions import AirflowException
from airflow._impl.operator import BaseOperator
from airflow._impl.settings import SETTINGS
from airflow._impl.skipping import BaseBranchOperator, SkipMixin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def determine_kwargs(func: Callable[..., Any], args: Any, kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the part of the context that a callable asks for, all of it for one with ``**kwargs``.

    Raises:
        ValueError: If a positional argument would take the place of a context key (`KeywordParameters.determine`).
    """
    import inspect  # it takes a sixth of a cold start, and not every task needs it

    parameters = inspect.signature(func).parameters
    # Airflow 2 takes keyword-only parameters for positional ones here.
    fixed = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD) if SETTINGS.major > 2 else ()
    for name, parameter in list(parameters.items())[: len(args)]:
        if parameter.kind not in fixed and name in kwargs:
            raise ValueError(f"The key {name!r} in args is a part of kwargs and therefore reserved.")
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return kwargs
    return {name: kwargs[name] for name in parameters if name in kwargs}


class KeywordParameters:
    """The keyword arguments of a callable (`airflow/utils/operator_helpers.py`)."""

    def __init__(self, kwargs: Mapping[str, Any], *, wildcard: bool) -> None:
        self._kwargs = kwargs
        self._wildcard = wildcard

    @classmethod
    def determine(cls, func: Callable[..., Any], args: Any, kwargs: Mapping[str, Any]) -> KeywordParameters:
        import inspect

        kinds = [parameter.kind for parameter in inspect.signature(func).parameters.values()]
        wildcard = inspect.Parameter.VAR_KEYWORD in kinds
        return cls(determine_kwargs(func, args, kwargs), wildcard=wildcard)

    def unpacking(self) -> Mapping[str, Any]:
        """Return what to call the function with."""
        return self._kwargs


def make_kwargs_callable(func: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that drops the keyword arguments which the given one does not take."""

    @functools.wraps(func)
    def call(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **determine_kwargs(func, args, kwargs))

    return call


def _exhausted(generator: Any) -> Any:
    """Return what a generator function returns; what it yields is metadata of asset events, or nothing to us."""
    from airflow._impl.current import get_current_context

    while True:
        try:
            yielded = next(generator)
        except StopIteration as stop:
            return stop.value
        if isinstance(yielded, Metadata):
            events = get_current_context()["outlet_events"]
            events[yielded.asset].extra.update(yielded.extra)
            if yielded.alias:
                events[yielded.alias].add(yielded.asset, extra=yielded.extra)


class PythonOperator(BaseOperator):
    """Calls a function with its arguments and the part of the context that it asks for."""

    template_fields: Any = ("templates_dict", "op_args", "op_kwargs")
    template_fields_renderers: ClassVar[dict[str, str]] = {
        "templates_dict": "json",
        "op_args": "py",
        "op_kwargs": "py",
    }
    shallow_copy_attrs: Any = ("python_callable", "op_kwargs")

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Any = None,
        op_kwargs: Any = None,
        templates_dict: dict[str, Any] | None = None,
        templates_exts: Any = None,
        show_return_value_in_logs: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(python_callable):
            raise AirflowException("`python_callable` param must be callable")
        self.python_callable = python_callable
        self.op_args = op_args or ()
        self.op_kwargs = op_kwargs or {}
        self.templates_dict = templates_dict
        if templates_exts:
            self.template_ext = templates_exts
        self.show_return_value_in_logs = show_return_value_in_logs

    def execute(self, context: Any) -> Any:
        context.update(self.op_kwargs)
        context["templates_dict"] = self.templates_dict
        self.op_kwargs = self.determine_kwargs(context)
        value = self.execute_callable()
        if self.show_return_value_in_logs:
            self.log.info("Done. Returned value was: %s", value)
        else:
            self.log.info("Done. Returned value not shown")
        return value

    def determine_kwargs(self, context: Any) -> Any:
        return determine_kwargs(self.python_callable, self.op_args, context)

    def execute_callable(self) -> Any:
        """Return what the callable returns; one that is a coroutine function is run to its end."""
        import inspect

        if inspect.isgeneratorfunction(self.python_callable):
            return _exhausted(self.python_callable(*self.op_args, **self.op_kwargs))
        result = self.python_callable(*self.op_args, **self.op_kwargs)
        if inspect.iscoroutine(result):
            import asyncio

            return asyncio.run(result)
        return result


class BranchPythonOperator(BaseBranchOperator, PythonOperator):
    """Follows the branches that its function names."""

    def choose_branch(self, context: Any) -> Any:
        return PythonOperator.execute(self, context)


class ShortCircuitOperator(PythonOperator, SkipMixin):
    """Skips what comes after it if its function returns something falsy."""

    inherits_from_skipmixin = True

    def __init__(self, *, ignore_downstream_trigger_rules: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ignore_downstream_trigger_rules = ignore_downstream_trigger_rules

    def execute(self, context: Any) -> Any:
        condition = super().execute(context)
        self.log.info("Condition result is %s", condition)
        if condition or not self.downstream_task_ids:
            return condition
        task = context["task"]
        relatives = (
            task.get_flat_relatives(upstream=False)
            if self.ignore_downstream_trigger_rules is True
            else task.get_direct_relatives(upstream=False)
        )
        self.log.info("Skipping downstream tasks")
        self.skip(ti=context["ti"], tasks=[relative for relative in relatives if not relative.is_teardown])
        return condition
