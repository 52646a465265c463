"""References to what tasks will return: the edges they draw and the values they become."""

from __future__ import annotations

from itertools import chain as join
from typing import TYPE_CHECKING, Any

from airflow._impl.exceptions import XComNotFound
from airflow._impl.mapped_values import ConcatResult, MapResult, ZipResult, zip_length
from airflow._impl.node import DependencyMixin
from airflow._impl.params import NOTSET
from airflow._impl.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

XCOM_RETURN_KEY = "return_value"


class ResolveMixin:
    """Something that stands for a value until a task is rendered."""

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        """Return the tasks and keys that the value will be made of."""
        raise AttributeError("iter_references")

    def resolve(self, context: Any) -> Any:
        """Return the value in the context of a running task."""
        raise AttributeError("resolve")


class XComArg(ResolveMixin, DependencyMixin):
    """A reference to an XCom; ``XComArg(task)`` and ``XComArg(task, key)`` make a plain one."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return super().__new__(PlainXComArg if cls is XComArg else cls)

    @staticmethod
    def iter_xcom_references(arg: Any) -> Iterator[tuple[Any, str]]:
        """Return the (task, key) of all references in a value, however deep."""
        if isinstance(arg, ResolveMixin):
            yield from arg.iter_references()
        elif isinstance(arg, (tuple, set, list)):
            for item in arg:
                yield from XComArg.iter_xcom_references(item)
        elif isinstance(arg, dict):
            for item in arg.values():
                yield from XComArg.iter_xcom_references(item)
        elif not isinstance(arg, (str, type)) and not isinstance(arg, DependencyMixin):
            for field in getattr(arg, "template_fields", None) or ():
                yield from XComArg.iter_xcom_references(getattr(arg, field, None))

    @staticmethod
    def apply_upstream_relationship(op: Any, arg: Any) -> None:
        """Let a task wait for everything that a value refers to."""
        for operator, _key in XComArg.iter_xcom_references(arg):
            op.set_upstream(operator)

    def map_length(self, xcoms: Any) -> int | None:
        """Return how many items there are to map over, None if a task has returned nothing for it."""
        raise AttributeError("map_length")

    @property
    def roots(self) -> list[Any]:
        return [operator for operator, _key in self.iter_references()]

    @property
    def leaves(self) -> list[Any]:
        return self.roots

    def set_upstream(self, other: Any, edge_modifier: Any = None) -> None:
        for operator in self.roots:
            operator.set_upstream(other, edge_modifier)

    def set_downstream(self, other: Any, edge_modifier: Any = None) -> None:
        for operator in self.leaves:
            operator.set_downstream(other, edge_modifier)

    def as_setup(self) -> Any:
        for operator in self.roots:
            operator.as_setup()
        return self

    def as_teardown(self, *, setups: Any = None, on_failure_fail_dagrun: Any = None) -> Any:
        for operator in self.roots:
            operator.as_teardown(setups=setups, on_failure_fail_dagrun=on_failure_fail_dagrun)
        return self

    def map(self, f: Callable[[Any], Any]) -> MapXComArg:
        """Return a reference to the values that a function makes of each item."""
        return MapXComArg(self, [f])

    def zip(self, *others: XComArg, fillvalue: Any = NOTSET) -> ZipXComArg:
        """Return a reference to the items side by side."""
        return ZipXComArg([self, *others], fillvalue=fillvalue)

    def concat(self, *others: XComArg) -> ConcatXComArg:
        """Return a reference to the items one after the other."""
        return ConcatXComArg([self, *others])

    def __enter__(self) -> Any:
        from airflow._impl.setup_blocks import SetupTeardownContext

        SetupTeardownContext.push(self.roots)
        return SetupTeardownContext

    def __exit__(self, *_error: object) -> None:
        from airflow._impl.setup_blocks import SetupTeardownContext

        SetupTeardownContext.pop()


class PlainXComArg(XComArg):
    """The XCom that one task pushes under one key."""

    def __init__(self, operator: Any, key: str = XCOM_RETURN_KEY) -> None:
        self.operator = operator
        self.key = key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PlainXComArg) and self.operator is other.operator and self.key == other.key

    def __hash__(self) -> int:
        return hash((id(self.operator), self.key))

    def __getitem__(self, item: str) -> XComArg:
        if not isinstance(item, str):
            raise ValueError(f"XComArg only supports str lookup, received {type(item).__name__}")  # noqa: TRY004
        return PlainXComArg(self.operator, item)

    def __iter__(self) -> Iterator[Any]:
        raise TypeError("'XComArg' object is not iterable")

    def __repr__(self) -> str:
        key = "" if self.key == XCOM_RETURN_KEY else f", {self.key!r}"
        return f"XComArg({self.operator!r}{key})"

    def __str__(self) -> str:
        operator = self.operator
        arguments = [f"task_ids='{operator.task_id}'", f"dag_id='{operator.dag_id}'"]
        if self.key != XCOM_RETURN_KEY:
            arguments.append(f"key='{self.key}'")
        return f"{{{{ task_instance.xcom_pull({', '.join(arguments)}) }}}}"

    @property
    def is_setup(self) -> bool:
        return bool(self.operator.is_setup)

    @is_setup.setter
    def is_setup(self, value: bool) -> None:
        self.operator.is_setup = value

    @property
    def is_teardown(self) -> bool:
        return bool(self.operator.is_teardown)

    @is_teardown.setter
    def is_teardown(self, value: bool) -> None:
        self.operator.is_teardown = value

    @property
    def on_failure_fail_dagrun(self) -> bool:
        return bool(self.operator.on_failure_fail_dagrun)

    @on_failure_fail_dagrun.setter
    def on_failure_fail_dagrun(self, value: bool) -> None:
        self.operator.on_failure_fail_dagrun = value

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        yield self.operator, self.key

    def map_length(self, xcoms: Any) -> int | None:
        length: int | None = xcoms.map_length(self.operator.task_id, mapped=self.operator.is_mapped)
        return length

    def resolve(self, context: Any) -> Any:
        """Return the pushed value, None where a return value is missing; raises XComNotFound for another key.

        Airflow 3 takes a pushed None for a missing value (`RuntimeTaskInstance.xcom_pull`), Airflow 2 does not.
        """
        operator = self.operator
        value = context["ti"].referred_xcom(operator, self.key, NOTSET)
        if value is not NOTSET and (value is not None or SETTINGS.major == 2):
            return value
        if self.key == XCOM_RETURN_KEY or getattr(operator, "multiple_outputs", False):
            return None
        raise XComNotFound(operator.dag_id, operator.task_id, self.key)


class MapXComArg(XComArg):
    """The items of another reference, each passed through functions."""

    def __init__(self, arg: XComArg, callables: list[Callable[[Any], Any]]) -> None:
        for function in callables:
            if not callable(function):
                raise ValueError(f"map() argument must be a plain function, not {type(function).__name__}")  # noqa: TRY004
        self.arg = arg
        self.callables = callables

    def map(self, f: Callable[[Any], Any]) -> MapXComArg:
        return MapXComArg(self.arg, [*self.callables, f])

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        yield from self.arg.iter_references()

    def map_length(self, xcoms: Any) -> int | None:
        return self.arg.map_length(xcoms)

    def resolve(self, context: Any) -> Any:
        return MapResult(self.arg.resolve(context), self.callables)


class ZipXComArg(XComArg):
    """The items of several references side by side."""

    def __init__(self, args: Sequence[XComArg], *, fillvalue: Any = NOTSET) -> None:
        if not all(isinstance(arg, XComArg) for arg in args):
            raise ValueError("cannot zip with something that is not an XComArg")
        self.args = list(args)
        self.fillvalue = fillvalue

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        return join.from_iterable(arg.iter_references() for arg in self.args)

    def map_length(self, xcoms: Any) -> int | None:
        lengths = _lengths(self.args, xcoms)
        return None if lengths is None else zip_length(lengths, filled=self.fillvalue is not NOTSET)

    def resolve(self, context: Any) -> Any:
        fill = () if self.fillvalue is NOTSET else (self.fillvalue,)
        return ZipResult((arg.resolve(context) for arg in self.args), fill)


class ConcatXComArg(XComArg):
    """The items of several references one after the other."""

    def __init__(self, args: Sequence[XComArg]) -> None:
        if not all(isinstance(arg, XComArg) for arg in args):
            raise ValueError("cannot concatenate with something that is not an XComArg")
        self.args = list(args)

    def concat(self, *others: XComArg) -> ConcatXComArg:
        return ConcatXComArg([*self.args, *others])

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        return join.from_iterable(arg.iter_references() for arg in self.args)

    def map_length(self, xcoms: Any) -> int | None:
        lengths = _lengths(self.args, xcoms)
        return None if lengths is None else sum(lengths)

    def resolve(self, context: Any) -> Any:
        return ConcatResult(arg.resolve(context) for arg in self.args)


def _lengths(args: Sequence[XComArg], xcoms: Any) -> list[int] | None:
    """Return the lengths of all references, None if one of them is not there."""
    lengths = [arg.map_length(xcoms) for arg in args]
    known = [length for length in lengths if length is not None]
    return known if len(known) == len(lengths) else None
