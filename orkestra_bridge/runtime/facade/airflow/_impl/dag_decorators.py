"""The part of the TaskFlow API that is not about single tasks: ``@dag`` and ``@task_group``."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from airflow._impl.dag import DAG
from airflow._impl.expand_input import (
    DictOfListsExpandInput,
    ListOfDictsExpandInput,
    MappedArgument,
    check_expandable,
)
from airflow._impl.group import MappedTaskGroup, TaskGroup

if TYPE_CHECKING:
    from collections.abc import Callable


class _TaskGroupFactory:
    """A decorated function: calling it makes a task group."""

    def __init__(
        self, function: Callable[..., Any], arguments: dict[str, Any], fixed: dict[str, Any]
    ) -> None:
        self.function = function
        self.arguments = {"group_id": function.__name__, **arguments}
        self.fixed = fixed
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._create(TaskGroup, *args, **kwargs)

    def _create(self, factory: Callable[..., TaskGroup], *args: Any, **kwargs: Any) -> Any:
        with factory(add_suffix_on_collision=True, **self.arguments) as group:
            group.tooltip = group.tooltip or self.function.__doc__ or ""
            result = self.function(*args, **kwargs)
        return group if result is None else result

    def override(self, **arguments: Any) -> _TaskGroupFactory:
        return _TaskGroupFactory(self.function, {**self.arguments, **arguments}, self.fixed)

    def partial(self, **kwargs: Any) -> _TaskGroupFactory:
        return _TaskGroupFactory(self.function, self.arguments, {**kwargs, **self.fixed})

    def expand(self, **kwargs: Any) -> Any:
        """Return the mapped group over the cross product of the arguments."""
        check_expandable(kwargs, self.fixed)
        return self._expand(DictOfListsExpandInput(kwargs), kwargs)

    def expand_kwargs(self, kwargs: Any) -> Any:
        """Return the mapped group over a list of argument sets."""
        from inspect import signature

        names = [name for name in signature(self.function).parameters if name not in self.fixed]
        return self._expand(ListOfDictsExpandInput(kwargs), dict.fromkeys(names))

    def _expand(self, expand_input: Any, names: dict[str, Any]) -> Any:
        mapped = {name: MappedArgument(expand_input, name) for name in names}
        factory = functools.partial(MappedTaskGroup, expand_input=expand_input)
        return self._create(factory, **self.fixed, **mapped)


def task_group(python_callable: Any = None, **arguments: Any) -> Any:
    """Return the decorated function, or the decorator where only arguments were given."""
    if callable(python_callable):
        return _TaskGroupFactory(python_callable, arguments, {})
    if python_callable is not None:
        arguments = {"group_id": python_callable, **arguments}
    return lambda function: _TaskGroupFactory(function, arguments, {})


def dag(dag_id: Any = "", *args: Any, **arguments: Any) -> Any:
    """Return the decorated function, whose call makes the DAG, or the decorator where only arguments were given."""
    if callable(dag_id):
        return _dag_factory(dag_id, "", (), {})
    return lambda function: _dag_factory(function, dag_id, args, arguments)


def _dag_factory(function: Callable[..., Any], dag_id: str, args: Any, arguments: dict[str, Any]) -> Any:
    @functools.wraps(function)
    def factory(*call_args: Any, **call_kwargs: Any) -> DAG:
        from inspect import signature

        bound = signature(function).bind(*call_args, **call_kwargs)
        bound.apply_defaults()
        with DAG(dag_id or function.__name__, *args, **arguments) as made:
            made.fileloc = function.__code__.co_filename
            if function.__doc__ and not made.doc_md:
                made.doc_md = function.__doc__
            values = {name: made.param(name, value) for name, value in bound.arguments.items()}
            function(**values)
        return made

    return factory
