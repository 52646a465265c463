"""Event patterns of EventBridge: what AWS would refuse, or what would never match.

Sources: Amazon EventBridge user guide, "Creating EventBridge event patterns" (a field's values are a list; comparison
operators), and PutRule in its API reference (2,048 characters).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orkestra_bridge.config.meant import meant

if TYPE_CHECKING:
    from collections.abc import Iterator

PATTERN_FIELDS = frozenset(
    {
        "$or",
        "account",
        "detail",
        "detail-type",
        "id",
        "region",
        "replay-name",
        "resources",
        "source",
        "time",
        "version",
    }
)
_OF_ALL = {"id", "replay-name", "time", "version"}
"""Fields that tell nothing about what an event is about."""
OPERATORS = frozenset(
    {"anything-but", "cidr", "equals-ignore-case", "exists", "numeric", "prefix", "suffix", "wildcard"}
)
_LIMIT = 2048
"""Characters."""


def wrong_pattern(pattern: dict[str, Any]) -> str | None:
    """Return what is wrong with an event pattern, None if it is right."""
    unknown = next((key for key in pattern if key not in PATTERN_FIELDS), None)
    if unknown is not None:
        return f"has no field {unknown!r}{meant(unknown, PATTERN_FIELDS)}"
    if not pattern.keys() - _OF_ALL:
        return "must say which events it matches, by source, detail-type or another field"
    if len(json.dumps(pattern, default=str, separators=(",", ":"))) > _LIMIT:
        return f"has more than {_LIMIT} characters"
    return next(_wrong_fields((), pattern), None)


def _wrong_fields(path: tuple[str, ...], fields: dict[str, Any]) -> Iterator[str]:
    for key, value in fields.items():
        where = (*path, key)
        name = ".".join(where)
        if isinstance(value, dict) and value:
            yield from _wrong_fields(where, value)
        elif key == "$or" and isinstance(value, list):
            for each in value:
                if isinstance(each, dict):
                    yield from _wrong_fields(path, each)
                else:
                    yield f"{name} must be a list of tables, not {each!r}"
        elif not isinstance(value, list) or not value:
            yield f"{name} must be a list of the values that it may have, not {value!r}"
        else:
            yield from (problem for each in value if (problem := _wrong_value(name, each)))


def _wrong_value(name: str, value: Any) -> str | None:
    if isinstance(value, (str, int, float)):
        return None
    if not isinstance(value, dict) or len(value) != 1:
        return f"{name} has {value!r}, which is neither a text, a number, true, false, nor one comparison"
    operator = next(iter(value))
    if operator not in OPERATORS:
        return f"{name} has no comparison {operator!r}{meant(operator, OPERATORS)}"
    return None
