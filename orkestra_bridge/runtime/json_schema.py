"""The part of JSON Schema that params use, checked without a library: the package stays small.

Source: JSON Schema 2020-12, validation vocabulary; Airflow validates params with it (`airflow/models/param.py`).
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return _is_number(value) and float(value).is_integer()


_TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": _is_integer,
    "number": _is_number,
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}

_NUMBER_CHECKS: dict[str, tuple[Callable[[Any, Any], bool], str]] = {
    "minimum": (lambda value, limit: value >= limit, "less than the minimum of"),
    "maximum": (lambda value, limit: value <= limit, "greater than the maximum of"),
    "exclusiveMinimum": (lambda value, limit: value > limit, "less than or equal to the minimum of"),
    "exclusiveMaximum": (lambda value, limit: value < limit, "greater than or equal to the maximum of"),
    "multipleOf": (lambda value, limit: (value / limit).is_integer(), "not a multiple of"),
}

_SIZE_CHECKS: dict[str, tuple[type, Callable[[int, int], bool], str]] = {
    "minLength": (str, int.__ge__, "is too short"),
    "maxLength": (str, int.__le__, "is too long"),
    "minItems": (list, int.__ge__, "is too short"),
    "maxItems": (list, int.__le__, "is too long"),
    "minProperties": (dict, int.__ge__, "does not have enough properties"),
    "maxProperties": (dict, int.__le__, "has too many properties"),
}

_FORMATS: dict[str, Callable[[str], object]] = {
    "date-time": lambda text: datetime.fromisoformat(text.replace("Z", "+00:00")),
    "date": date.fromisoformat,
    "time": lambda text: time.fromisoformat(text.replace("Z", "+00:00")),
}


def problem(value: Any, schema: Mapping[str, Any] | bool | None) -> str | None:
    """Return in words how a value breaks a schema, None if it does not."""
    if schema is None or schema is True:
        return None
    if schema is False:
        return f"{value!r} is not allowed"
    return next(_problems(value, schema), None)


def _problems(value: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    yield from _type_problems(value, schema)
    if _is_number(value):
        for name, (check, text) in _NUMBER_CHECKS.items():
            if name in schema and not check(value, schema[name]):
                yield f"{value!r} is {text} {schema[name]}"
    for name, (kind, compare, text) in _SIZE_CHECKS.items():
        if name in schema and isinstance(value, kind) and not compare(len(value), schema[name]):  # type: ignore[arg-type]
            yield f"{value!r} {text}"
    if isinstance(value, str):
        yield from _text_problems(value, schema)
    if isinstance(value, list):
        yield from _array_problems(value, schema)
    if isinstance(value, dict):
        yield from _object_problems(value, schema)
    yield from _combined_problems(value, schema)


def _type_problems(value: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    kinds = schema.get("type")
    if kinds is not None:
        names = [kinds] if isinstance(kinds, str) else kinds
        if not any(_TYPES[name](value) for name in names if name in _TYPES):
            yield f"{value!r} is not of type {', '.join(repr(name) for name in names)}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{value!r} is not one of {schema['enum']!r}"
    if "const" in schema and value != schema["const"]:
        yield f"{schema['const']!r} was expected"


def _text_problems(value: str, schema: Mapping[str, Any]) -> Iterator[str]:
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{value!r} does not match {schema['pattern']!r}"
    check = _FORMATS.get(schema.get("format", ""))
    if check is not None:
        try:
            check(value)
        except ValueError:
            yield f"{value!r} is not a {schema['format']!r}"


def _array_problems(value: list[Any], schema: Mapping[str, Any]) -> Iterator[str]:
    if schema.get("uniqueItems") and any(item in value[:index] for index, item in enumerate(value)):
        yield f"{value!r} has non-unique elements"
    if "items" in schema:
        for item in value:
            if text := problem(item, schema["items"]):
                yield text


def _object_problems(value: dict[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{name!r} is a required property"
    properties = schema.get("properties", {})
    for name, item in value.items():
        if text := problem(item, properties.get(name, schema.get("additionalProperties", True))):
            yield text


def _combined_problems(value: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    for part in schema.get("allOf", ()):
        if text := problem(value, part):
            yield text
    matches = [problem(value, part) is None for part in schema.get("anyOf", ())]
    if matches and not any(matches):
        yield f"{value!r} is not valid under any of the given schemas"
    matches = [problem(value, part) is None for part in schema.get("oneOf", ())]
    if matches and sum(matches) != 1:
        yield f"{value!r} is not valid under exactly one of the given schemas"
    if "not" in schema and problem(value, schema["not"]) is None:
        yield f"{value!r} should not be valid under {schema['not']!r}"
