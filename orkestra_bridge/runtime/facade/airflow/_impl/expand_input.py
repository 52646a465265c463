"""What ``expand`` and ``expand_kwargs`` were given: how many instances it makes, and the arguments of each.

Source: `airflow/sdk/definitions/_internal/expandinput.py`, `airflow/models/expandinput.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

from airflow._impl.xcom_arg import ResolveMixin, XComArg

Arguments = tuple[dict[str, Any], set[int]]
"""The arguments of one instance, and the identities of values that came from XComs: these are no templates."""


class DictOfListsExpandInput(ResolveMixin):
    """What ``expand`` was given: the cross product of its arguments, the last one varying fastest."""

    def __init__(self, value: dict[str, Any]) -> None:
        self.value = value

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        yield from XComArg.iter_xcom_references(dict(self.value))

    def length(self, xcoms: Any) -> int | None:
        """Return the number of instances, None if a task that it depends on returned nothing to map over."""
        lengths = [_length(items, xcoms) for items in self.value.values()]
        known = [length for length in lengths if length is not None]
        return prod(known) if len(known) == len(lengths) else None

    def resolve(self, context: Any) -> Arguments:
        """Return the arguments of the running instance."""
        ti = context["ti"]
        items = {name: _resolved(value, context) for name, value in self.value.items()}
        chosen: dict[str, Any] = {}
        index = ti.map_index
        for name in reversed(items):
            length = _length(self.value[name], ti.xcoms)
            if not length:
                raise RuntimeError(f"cannot expand field mapped to length {length!r}")
            chosen[name] = _item(items[name], index % length)
            index //= length
        arguments = {name: chosen[name] for name in items}
        return arguments, {id(arguments[name]) for name in items if _is_reference(self.value[name])}


class ListOfDictsExpandInput(ResolveMixin):
    """What ``expand_kwargs`` was given: a list of argument sets, or a reference to one."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        if isinstance(self.value, XComArg):
            yield from self.value.iter_references()
            return
        for item in self.value:
            if isinstance(item, XComArg):
                yield from item.iter_references()

    def length(self, xcoms: Any) -> int | None:
        """Return the number of instances, None if a task that it depends on returned nothing to map over."""
        return _length(self.value, xcoms)

    def resolve(self, context: Any) -> Arguments:
        """Return the arguments of the running instance; raises ValueError if they are not a dict with str keys."""
        items = _resolved(self.value, context)
        if not isinstance(items, Sequence):
            raise ValueError(f"expand_kwargs() expects a list[dict], not {_kind(items)}")  # noqa: TRY004
        arguments = _resolved(items[context["ti"].map_index], context)
        if not isinstance(arguments, Mapping):
            raise ValueError(f"expand_kwargs() expects a list[dict], not list[{_kind(arguments)}]")  # noqa: TRY004
        wrong = next((key for key in arguments if not isinstance(key, str)), None)
        if wrong is not None:
            raise ValueError(
                f"expand_kwargs() input dict keys must all be str, but {wrong!r} is of type {_kind(wrong)}"
            )
        return dict(arguments), {id(value) for value in arguments.values() if _is_reference(value)}


class MappedArgument(ResolveMixin):
    """The argument of a mapped task group inside of the group."""

    def __init__(self, expand_input: Any, key: str) -> None:
        self._input = expand_input
        self._key = key

    def iter_references(self) -> Iterator[tuple[Any, str]]:
        yield from self._input.iter_references()

    def resolve(self, context: Any) -> Any:
        """Return the item of this argument that belongs to the running map index."""
        arguments, _ = self._input.resolve(context)
        return arguments[self._key]


def _is_reference(value: Any) -> bool:
    return isinstance(value, ResolveMixin)


def _length(value: Any, xcoms: Any) -> int | None:
    length: int | None = value.map_length(xcoms) if isinstance(value, XComArg) else len(value)
    return length


def _resolved(value: Any, context: Any) -> Any:
    return value.resolve(context) if _is_reference(value) else value


def _item(items: Any, index: int) -> Any:
    """Return one item of a list, or one (key, value) of a dict."""
    if isinstance(items, Sequence):
        return items[index]
    if not isinstance(items, dict):
        raise TypeError(f"can't map over value of type {type(items)}")
    return list(items.items())[index]


def _kind(value: Any) -> str:
    return "None" if value is None else type(value).__name__


def check_expandable(arguments: dict[str, Any], fixed: dict[str, Any]) -> None:
    """Raise TypeError for nothing to expand or an argument that is also fixed, ValueError for one that cannot be."""
    if not arguments:
        raise TypeError("no arguments to expand against")
    check_unique(arguments, fixed)
    for name, value in arguments.items():
        if isinstance(value, str) or not isinstance(value, (XComArg, Mapping, Sequence, MappedArgument)):
            kind = type(value).__name__
            raise ValueError(f"expand() got an unexpected type {kind!r} for keyword argument {name!r}")  # noqa: TRY004


def check_unique(arguments: Mapping[str, Any], fixed: Mapping[str, Any]) -> None:
    """Raise TypeError for an argument that is also fixed."""
    twice = sorted(set(arguments) & set(fixed))
    if twice:
        raise TypeError(f"mapping already partial argument: {', '.join(twice)}")
