"""Workflow <-> JSON, stable: sorted keys, defaults included, one trailing newline."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

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


def render(document: Any) -> str:
    """Return JSON text that is the same for equal values."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
