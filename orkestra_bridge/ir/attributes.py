"""Questions about the arguments that a DAG or a task was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orkestra_bridge.ir.model import Attribute, JsonValue

UNSET: tuple[object, ...] = (None, False, [], {}, ())
"""Values that say the same as not giving the argument."""


def is_given(attributes: Iterable[Attribute], *names: str) -> bool:
    """Return True if one of these arguments was given, and not just with an empty value."""
    return any(attribute.name in names and attribute.value not in UNSET for attribute in attributes)


def value_of(attributes: Iterable[Attribute], name: str) -> JsonValue:
    """Return the value of an argument, None if it was not given."""
    return next((attribute.value for attribute in attributes if attribute.name == name), None)
