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
    document: dict[str, Any] = _converter().unstructure(workflow)
    return document


def from_document(document: dict[str, Any]) -> Workflow:
    """Return the workflow that `to_document` wrote; raises cattrs' ClassValidationError if the shape is wrong."""
    return _converter().structure(document, Workflow)


def render(document: Any, *, sort: bool = True) -> bytes:
    """Return indented JSON with a final newline: the same bytes for equal values.

    ``sort=False`` keeps the order of keys, where that order is the one in which people read.
    """
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(document, option=options | orjson.OPT_SORT_KEYS if sort else options)
