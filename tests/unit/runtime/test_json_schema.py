"""Values against the JSON schemas that params use."""

from __future__ import annotations

from typing import Any

import pytest

from orkestra_bridge.runtime.json_schema import problem


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (3, {"type": "integer", "minimum": 3, "maximum": 3}),
        (3.0, {"type": "integer"}),
        (None, {"type": ["null", "string"]}),
        ("abc", {"type": "string", "minLength": 3, "maxLength": 3, "pattern": "^a"}),
        ("2024-01-02T03:04:05Z", {"type": "string", "format": "date-time"}),
        ([1, 2], {"type": "array", "items": {"type": "integer"}, "uniqueItems": True, "minItems": 2}),
        ({"a": 1}, {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}),
        ("b", {"enum": ["a", "b"]}),
        (5, {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        (1, {}),
    ],
)
def test_values_that_fit(value: Any, schema: dict[str, Any]) -> None:
    assert problem(value, schema) is None


@pytest.mark.parametrize(
    ("value", "schema", "words"),
    [
        (True, {"type": "integer"}, "is not of type 'integer'"),
        ("x", {"type": ["null", "integer"]}, "'null', 'integer'"),
        (2, {"minimum": 3}, "less than the minimum of 3"),
        (4, {"exclusiveMaximum": 4}, "greater than or equal"),
        (5, {"multipleOf": 2}, "not a multiple of 2"),
        ("ab", {"minLength": 3}, "is too short"),
        ("b", {"pattern": "^a"}, "does not match"),
        ("soon", {"format": "date"}, "is not a 'date'"),
        ([1, 1], {"uniqueItems": True}, "non-unique"),
        ([1, "a"], {"items": {"type": "integer"}}, "'a' is not of type"),
        ({}, {"required": ["a"]}, "'a' is a required property"),
        ({"b": 1}, {"additionalProperties": False}, "1 is not allowed"),
        ("c", {"enum": ["a", "b"]}, "is not one of"),
        (1, {"const": 2}, "2 was expected"),
        (1, {"oneOf": [{"type": "integer"}, {"minimum": 0}]}, "exactly one"),
        (1, {"not": {"type": "integer"}}, "should not be valid"),
        (1, {"allOf": [{"minimum": 0}, {"minimum": 2}]}, "minimum of 2"),
    ],
)
def test_values_that_do_not(value: Any, schema: dict[str, Any], words: str) -> None:
    assert words in (problem(value, schema) or "")
