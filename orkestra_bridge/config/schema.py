"""The configuration as a JSON Schema, for editors that complete and check TOML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orkestra_bridge.config.events import PATTERN_FIELDS
from orkestra_bridge.config.model import DAG_FIELDS, TASK_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orkestra_bridge.config.model import Field

_TYPES = {
    "text": "string", "path": "string", "integer": "integer", "number": "number", "flag": "boolean",
    "pattern": "object",
}  # fmt: skip
Json = dict[str, Any]


def json_schema(fields: Sequence[Field]) -> Json:
    """Return the schema (draft 2020-12) of `orkestra.toml` and of the table in pyproject.toml."""
    task = _table(TASK_FIELDS, {})
    tasks = {
        "type": "object",
        "additionalProperties": task,
        "description": "Tasks, by a pattern for their ids.",
    }
    dag = _table(DAG_FIELDS, {"tasks": tasks})
    dags = {"type": "object", "additionalProperties": dag, "description": "DAGs, by a pattern for their ids."}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "orkestra-bridge",
        **_table(fields, {"dags": dags}),
    }


def _table(fields: Iterable[Field], more: Json) -> Json:
    return {
        "type": "object",
        "properties": {**{field.key: _property(field) for field in fields}, **more},
        "additionalProperties": False,
    }


def _property(field: Field) -> Json:
    one: Json = {"type": _TYPES[field.kind]}
    if field.kind == "pattern":
        one |= {"minProperties": 1, "propertyNames": {"enum": sorted(PATTERN_FIELDS)}}
    if field.choices:
        one["enum"] = list(field.choices)
    if field.minimum is not None:
        one["minimum"] = field.minimum
    if field.maximum is not None:
        one["maximum"] = field.maximum
    shape = {"type": "array", "items": one} if field.many else one
    return {**shape, "description": field.help}
