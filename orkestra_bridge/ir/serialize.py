"""Workflow <-> JSON, stable: sorted keys, defaults included, one trailing newline."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from orkestra_bridge.ir.model import Workflow

if TYPE_CHECKING:
    from cattrs import Converter


@cache
def _converter() -> Converter:
    from cattrs.preconf.json import make_converter

    return make_converter()


def to_document(workflow: Workflow) -> dict[str, Any]:
    """Return the workflow as plain JSON values."""
    document: dict[str, Any] = orjson.loads(orjson.dumps(workflow))
    return document


def from_document(document: dict[str, Any]) -> Workflow:
    """Return the workflow that `to_document` wrote; raises cattrs' ClassValidationError if the shape is wrong."""
    return _converter().structure(document, Workflow)


def compact(document: Any) -> bytes:
    """Return JSON with sorted keys and without white space: the same bytes for equal values, dataclasses included."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def render(document: Any, *, sort: bool = True) -> bytes:
    """Return indented JSON with a final newline: the same bytes for equal values, dataclasses included.

    ``sort=False`` keeps the order of keys, where that order is the one in which people read.
    """
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(document, option=options | orjson.OPT_SORT_KEYS if sort else options)
