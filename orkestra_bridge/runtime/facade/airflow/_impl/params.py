"""Params of a DAG or task: defaults with a JSON schema, overridden by the run's conf."""

from __future__ import annotations

import copy
from collections.abc import Iterator, MutableMapping
from typing import Any

from airflow._impl.exceptions import ParamValidationError


class ArgNotSet:
    """The type of a value that was not given."""

    def __bool__(self) -> bool:
        return False


NOTSET = ArgNotSet()


class SetDuringExecution(ArgNotSet):
    """The type of a value that is only known when the task runs."""

    @staticmethod
    def serialize() -> str:
        return "DYNAMIC (set during execution)"


SET_DURING_EXECUTION = SetDuringExecution()


def is_arg_set(value: Any) -> bool:
    return not isinstance(value, ArgNotSet)


class Param:
    """One param: its default, and the JSON schema that a value has to satisfy."""

    CLASS_IDENTIFIER = "__class"

    def __init__(self, default: Any = NOTSET, description: str | None = None, **kwargs: Any) -> None:
        self.value = default
        self.description = description
        self.schema = kwargs.pop("schema") if "schema" in kwargs else kwargs

    @property
    def has_value(self) -> bool:
        return self.value is not NOTSET

    def resolve(self, value: Any = NOTSET, suppress_exception: bool = False) -> Any:
        """Return the value, checked; raises ParamValidationError if it breaks the schema or is not there."""
        from orkestra_bridge.runtime.json_schema import problem

        final = self.value if value is NOTSET else value
        if final is NOTSET:
            if suppress_exception:
                return None
            raise ParamValidationError("No value passed and Param has no default value")
        text = problem(final, self.schema)
        if text and not suppress_exception:
            raise ParamValidationError(text)
        self.value = final
        return final

    def dump(self) -> dict[str, Any]:
        return {"value": self.value, "description": self.description, "schema": self.schema}


class ParamsDict(MutableMapping[str, Any]):
    """name -> value of params; keeps the Param objects and checks values that are set."""

    def __init__(self, dict_obj: Any = None, suppress_exception: bool = False) -> None:
        self.suppress_exception = suppress_exception
        self._params: dict[str, Param] = {}
        source = dict_obj._params if isinstance(dict_obj, ParamsDict) else dict_obj or {}
        for name, value in source.items():
            self._params[name] = copy.copy(value) if isinstance(value, Param) else Param(value)

    def __contains__(self, name: object) -> bool:
        return name in self._params

    def __len__(self) -> int:
        return len(self._params)

    def __iter__(self) -> Iterator[str]:
        return iter(self._params)

    def __delitem__(self, name: str) -> None:
        del self._params[name]

    def __getitem__(self, name: str) -> Any:
        return self._params[name].resolve(suppress_exception=self.suppress_exception)

    def __setitem__(self, name: str, value: Any) -> None:
        if isinstance(value, Param):
            self._params[name] = value
        elif name in self._params:
            try:
                self._params[name].resolve(value, suppress_exception=self.suppress_exception)
            except ParamValidationError as error:
                raise ParamValidationError(f"Invalid input for param {name}: {error}") from None
        else:
            self._params[name] = Param(value)

    def __repr__(self) -> str:
        return repr({name: param.value for name, param in self._params.items()})

    def __copy__(self) -> ParamsDict:
        return ParamsDict(self, self.suppress_exception)

    def get_param(self, name: str) -> Param:
        return self._params[name]

    def dump(self) -> dict[str, Any]:
        """Return name -> value of all params."""
        return {name: param.resolve(suppress_exception=True) for name, param in self._params.items()}

    def validate(self) -> dict[str, Any]:
        """Return name -> value; raises ParamValidationError that names the param whose value breaks its schema."""
        values = {}
        for name, param in self._params.items():
            try:
                values[name] = param.resolve(suppress_exception=self.suppress_exception)
            except ParamValidationError as error:  # noqa: PERF203
                raise ParamValidationError(f"Invalid input for param {name}: {error}") from None
        return values


class DagParam:
    """``dag.param("x")``: a reference to a param, resolved when a task is rendered."""

    def __init__(self, current_dag: Any, name: str, default: Any = NOTSET) -> None:
        self._name = name
        self._default = default
        if default is not NOTSET:
            current_dag.params[name] = default

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        return iter(())

    def resolve(self, context: Any) -> Any:
        """Return the value in this run; raises AirflowException if nobody gave one."""
        from airflow._impl.exceptions import AirflowException

        conf = context["dag_run"].conf or {}
        if self._name in conf:
            return conf[self._name]
        if self._default is not NOTSET:
            return self._default
        if self._name in context["params"]:
            return context["params"][self._name]
        raise AirflowException(f"No value could be resolved for parameter {self._name}")
