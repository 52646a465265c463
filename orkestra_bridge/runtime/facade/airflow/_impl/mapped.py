"""Mapped tasks: ``Operator.partial(...).expand(...)`` as the DAG file describes it, with the edges it draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow._impl.contexts import DagContext, TaskGroupContext
from airflow._impl.node import DAGNode
from airflow._impl.operator import ARGUMENTS, BaseOperator, merged_defaults
from airflow._impl.params import ParamsDict
from airflow._impl.setup_blocks import SetupTeardownContext, SetupTeardownMixin
from airflow._impl.xcom_arg import ResolveMixin, XComArg


class DictOfListsExpandInput(ResolveMixin):
    """What ``expand`` was given: the cross product of its arguments."""

    def __init__(self, value: dict[str, Any]) -> None:
        self.value = value

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        yield from XComArg.iter_xcom_references(dict(self.value))

    def resolve(self, context: Any) -> Any:
        """Return name -> items of the arguments."""
        return {name: _resolved(items, context) for name, items in self.value.items()}


class ListOfDictsExpandInput(ResolveMixin):
    """What ``expand_kwargs`` was given: a list of argument sets, or a reference to one."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        yield from XComArg.iter_xcom_references(self.value)

    def resolve(self, context: Any) -> Any:
        """Return the list of argument sets."""
        return _resolved(self.value, context)


def _resolved(value: Any, context: Any) -> Any:
    if isinstance(value, ResolveMixin):
        return value.resolve(context)
    if isinstance(value, (list, tuple)):
        return [_resolved(item, context) for item in value]
    if isinstance(value, dict):
        return {key: _resolved(item, context) for key, item in value.items()}
    return value


class MappedArgument(ResolveMixin):
    """The argument of a mapped task group inside of the group."""

    def __init__(self, expand_input: Any, key: str) -> None:
        self._input = expand_input
        self._key = key

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        yield from self._input.iter_references()

    def resolve(self, context: Any) -> Any:
        """Return the item of this argument that belongs to the running map index."""
        value = self._input.resolve(context)
        index = context["ti"].map_index
        items = value[self._key] if isinstance(value, dict) else [item[self._key] for item in value]
        return list(items.items())[index] if isinstance(items, Mapping) else items[index]


def check_expandable(arguments: dict[str, Any], fixed: dict[str, Any]) -> None:
    """Raise TypeError for nothing to expand or an argument that is also fixed, ValueError for one that cannot be."""
    if not arguments:
        raise TypeError("no arguments to expand against")
    twice = sorted(set(arguments) & set(fixed))
    if twice:
        raise TypeError(f"mapping already partial argument: {', '.join(twice)}")
    for name, value in arguments.items():
        if isinstance(value, str) or not isinstance(value, (XComArg, Mapping, Sequence, MappedArgument)):
            kind = type(value).__name__
            raise ValueError(f"expand() got an unexpected type {kind!r} for keyword argument {name!r}")  # noqa: TRY004


class MappedOperator(SetupTeardownMixin, DAGNode):
    """A task that becomes one instance per item when it runs."""

    is_mapped = True

    def __init__(
        self,
        *,
        operator_class: type[BaseOperator],
        task_id: str,
        partial_kwargs: dict[str, Any],
        expand_input: Any,
    ) -> None:
        dag = partial_kwargs.pop("dag", None) or DagContext.get_current()
        group = partial_kwargs.pop("task_group", None) or TaskGroupContext.get_current(dag)
        defaults, params = merged_defaults(
            dag, group, partial_kwargs.pop("params", None), partial_kwargs.pop("default_args", None)
        )
        known = {name: value for name, value in defaults.items() if name in ARGUMENTS}
        self.operator_class = operator_class
        self.partial_kwargs = {**known, **partial_kwargs}
        self.expand_input = expand_input
        self.params = ParamsDict(params)
        self.task_id = group.child_id(task_id) if group else task_id
        self.upstream_task_ids: set[str] = set()
        self.downstream_task_ids: set[str] = set()
        self.is_setup = bool(partial_kwargs.get("is_setup", False))
        self.is_teardown = bool(partial_kwargs.get("is_teardown", False))
        self._dag: Any = None
        self.task_group: Any = None
        if group:
            group.add(self)
        if dag:
            dag.add_task(self)
        SetupTeardownContext.add(self)
        self._link((self.partial_kwargs, expand_input))

    def _link(self, value: Any) -> None:
        for operator, _key in XComArg.iter_xcom_references(value):
            if operator is not self:
                self.set_upstream(operator)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        fixed = self.__dict__.get("partial_kwargs", {})
        if name in fixed:
            return fixed[name]
        if name in ARGUMENTS:
            return ARGUMENTS[name]
        return getattr(self.__dict__["operator_class"], name)

    def __repr__(self) -> str:
        return f"<Mapped({self.task_type}): {self.task_id}>"

    @property
    def dag(self) -> Any:
        return self._dag

    @property
    def node_id(self) -> str:
        return self.task_id

    @property
    def task_type(self) -> str:
        return self.operator_class.__name__

    @property
    def operator_name(self) -> str:
        return getattr(self.operator_class, "custom_operator_name", None) or self.task_type

    @property
    def roots(self) -> list[Any]:
        return [self]

    @property
    def leaves(self) -> list[Any]:
        return [self]

    @property
    def output(self) -> Any:
        return XComArg(self)

    @property
    def expanded_over(self) -> set[str]:
        """Return the ids of the tasks whose results decide how many instances there are."""
        return {operator.task_id for operator, _key in self.expand_input.iter_references()}

    def iter_mapped_dependants(self) -> Iterator[Any]:
        return iter(())

    def as_setup(self) -> Any:
        self.is_setup = True
        return self

    def as_teardown(self, *, setups: Any = None, on_failure_fail_dagrun: Any = None) -> Any:
        return BaseOperator.as_teardown(self, setups=setups, on_failure_fail_dagrun=on_failure_fail_dagrun)  # type: ignore[arg-type]


class OperatorPartial:
    """An operator class with some arguments fixed, waiting for ``expand``."""

    def __init__(self, operator_class: type[BaseOperator], kwargs: dict[str, Any]) -> None:
        self.operator_class = operator_class
        self.kwargs = kwargs

    def expand(self, **arguments: Any) -> MappedOperator:
        """Return the mapped task over the cross product of the arguments."""
        check_expandable(arguments, self.kwargs)
        return self._expand(DictOfListsExpandInput(arguments))

    def expand_kwargs(self, kwargs: Any, *, strict: bool = True) -> MappedOperator:
        """Return the mapped task over a list of argument sets, or over a reference to one."""
        return self._expand(ListOfDictsExpandInput(kwargs))

    def _expand(self, expand_input: Any) -> MappedOperator:
        kwargs = dict(self.kwargs)
        return MappedOperator(
            operator_class=self.operator_class,
            task_id=kwargs.pop("task_id"),
            partial_kwargs=kwargs,
            expand_input=expand_input,
        )
