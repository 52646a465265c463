"""State data: plain JSON that nobody else holds, measured against AWS's limit."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

from orkestra_bridge.local.interpreter.failures import DATA_LIMIT, StatesError

if TYPE_CHECKING:
    from orkestra_bridge.local.interpreter.model import Json

SIZE_LIMIT = 262_144
"""Bytes of UTF-8 that input, arguments, result or output of a state may have (AWS: "Step Functions service
quotas").
"""


@final
class Document:
    """A JSON value with the text it came from; made by `settle`."""

    def __init__(self, value: Json, *, has_null: bool) -> None:
        self.value = value
        self._has_null = has_null

    @cached_property
    def bound(self) -> Json:
        """The value as JSONata wants it: null as the engine's own null, because its None means undefined."""
        if not self._has_null:
            return self.value
        from jsonata import Utils

        return _with_null(self.value, Utils.NULL_VALUE)


def _with_null(value: Json, null: Any) -> Any:
    if value is None:
        return null
    if isinstance(value, dict):
        return {key: _with_null(item, null) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_null(item, null) for item in value]
    return value


def settle(value: Any, what: str) -> Document:
    """Return a document with a copy of the value.

    Raises StatesError: States.DataLimitExceeded if it has more than 256 KiB. Raises TypeError or ValueError
    if it is not JSON.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_null_only)
    if len(text) > SIZE_LIMIT or (
        len(text) * 4 > SIZE_LIMIT and len(text.encode("utf-8", "replace")) > SIZE_LIMIT
    ):
        message = f"The {what} has a size exceeding the maximum number of bytes service limit."
        raise StatesError(DATA_LIMIT, message)
    return Document(json.loads(text), has_null="null" in text)


def _null_only(value: object) -> None:
    from jsonata import Utils

    if value is not Utils.NULL_VALUE:
        message = f"a {type(value).__name__} is not JSON"
        raise TypeError(message)
