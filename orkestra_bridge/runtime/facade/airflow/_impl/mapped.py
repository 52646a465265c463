"""Mapped tasks: ``Operator.partial(...).expand(...)`` as the DAG file describes it, with the edges it draws."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from airflow._impl.contexts import DagContext, TaskGroupContext
from airflow._impl.expand_input import (
    DictOfListsExpandInput,
    ListOfDictsExpandInput,
    check_expandable,
    check_unique,
)
from airflow._impl.node import DAGNode
from airflow._impl.operator import ARGUMENTS, BaseOperator, merged_defaults
from airflow._impl.params import ParamsDict
from airflow._impl.setup_blocks import SetupTeardownContext, SetupTeardownMixin
from airflow._impl.xcom_arg import XComArg

if TYPE_CHECKING:
    from collections.abc import Iterator

# Set on the task after it was made.
_NOT_ARGUMENTS = frozenset(("is_setup", "is_teardown", "on_failure_fail_dagrun"))


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
        strict: bool = True,
        decorated: bool = False,
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
        self._strict = strict
        self._decorated = decorated
        self._defaults = defaults
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
        # as Airflow: an argument that is no template draws no edge, though its value may be one when it is rendered
        templates = [
            value for name, value in self.partial_kwargs.items() if name in operator_class.template_fields
        ]
        self._link((templates, expand_input))

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

    def prepare_for_execution(self) -> Any:
        """Return this: what executes is made by `unmap`."""
        return self

    def unmap(self, context: Any) -> BaseOperator:
        """Return the task of the running instance, which belongs to the DAG but is not in it.

        Raises:
            Exception: What a function given to ``map()`` raises, or the operator for arguments that it does not take.
        """
        arguments, resolved = self.expand_input.resolve(context)
        task = self.operator_class.__new__(self.operator_class)
        object.__setattr__(task, "_from_mapped", True)
        task.__init__(**self._arguments(arguments), default_args=self._defaults)  # type: ignore[misc]
        task.task_id = self.task_id
        task._dag = self._dag
        task._task_group = self.task_group
        task.is_setup, task.is_teardown = self.is_setup, self.is_teardown
        task.on_failure_fail_dagrun = self.on_failure_fail_dagrun
        task.upstream_task_ids = set(self.upstream_task_ids)
        task.downstream_task_ids = set(self.downstream_task_ids)
        object.__setattr__(task, "_resolved_values", resolved)
        return task

    def _arguments(self, mapped: dict[str, Any]) -> dict[str, Any]:
        """Return the constructor's arguments, the mapped ones over the fixed ones."""
        fixed = {name: value for name, value in self.partial_kwargs.items() if name not in _NOT_ARGUMENTS}
        if self._decorated:
            own = fixed.get("op_kwargs") or {}
            if self._strict:
                check_unique(mapped, own)
            mapped = {"op_kwargs": {**own, **mapped}}
        elif self._strict:
            check_unique(mapped, fixed)
        params = copy.copy(self.params)
        for name, value in (mapped.get("params") or {}).items():
            params[name] = value
        return {**fixed, **mapped, "task_id": self.task_id, "params": params}

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
        return self._expand(ListOfDictsExpandInput(kwargs), strict=strict)

    def _expand(self, expand_input: Any, *, strict: bool = True) -> MappedOperator:
        kwargs = dict(self.kwargs)
        return MappedOperator(
            operator_class=self.operator_class,
            task_id=kwargs.pop("task_id"),
            partial_kwargs=kwargs,
            expand_input=expand_input,
            strict=strict,
        )
