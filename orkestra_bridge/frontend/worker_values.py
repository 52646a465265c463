"""Python values as JSON: what an argument is, for people and for comparison, never for execution.

Part of the worker program: standard library only, Python 3.8 and later.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MASK = "***"
MISSING = object()
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_TEXTS = re.compile(r"\{('[^'{}]*'(?:, '[^'{}]*')+)\}")
"""A set of texts in a repr; their order is another one in each process."""
_DEPTH = 12


class Redactor:
    """Replaces values that came from a Variable, a Connection or the environment by ``***``."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        whole = {secret for secret in secrets if secret}
        self._whole = frozenset(whole)
        # Shorter ones would mask parts of ordinary words; they are masked where they are the entire value.
        self._parts = sorted((secret for secret in whole if len(secret) >= 6), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return the text without any of the secret values."""
        if text in self._whole:
            return MASK
        for secret in self._parts:
            if secret in text:
                text = text.replace(secret, MASK)
        return text


class Encoder:
    """Turns values into JSON: no addresses, no absolute paths of the user's folders, no looked-up values.

    ``folders`` are folders with a slash, and what stands for each.
    """

    def __init__(self, folders: dict[str, str], redact: Callable[[str], str]) -> None:
        # The longest first: one may be inside of another.
        self._folders = sorted(folders.items(), key=lambda pair: len(pair[0]), reverse=True)
        self._redact = redact

    def text(self, value: str) -> str:
        """Return a string of the user's, redacted and with paths relative to the DAG folder."""
        for folder, shown in self._folders:
            value = value.replace(folder, shown)
        return self._redact(value)

    def __call__(self, value: Any, depth: int = 0) -> Any:
        """Return a JSON value.

        Durations in seconds, times in ISO 8601, callables by name, the rest by repr.
        """
        if value is None or value is True or value is False or type(value) is int:
            return value
        if isinstance(value, enum.Enum):
            return self(value.value, depth)
        if isinstance(value, str):
            return self.text(str(value))
        if isinstance(value, float):
            return value if value - value == 0 else repr(value)
        return self._composite(value, depth)

    def _composite(self, value: Any, depth: int) -> Any:
        if isinstance(value, dt.timedelta):
            return value.total_seconds()
        if isinstance(value, (dt.datetime, dt.date, dt.time)):
            return value.isoformat()
        if depth < _DEPTH and isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return {self.text(key): self(item, depth + 1) for key, item in value.items()}
        if depth < _DEPTH and isinstance(value, (list, tuple)):
            return [self(item, depth + 1) for item in value]
        if depth < _DEPTH and isinstance(value, (set, frozenset)):
            return sorted((self(item, depth + 1) for item in value), key=repr)
        return self.described(value)

    def described(self, value: Any) -> str:
        """Return a name or a repr of an object, without its address; never raises."""
        name = getattr(value, "__qualname__", None)
        if callable(value) and isinstance(name, str):
            return name.replace("<locals>.", "")
        source = getattr(getattr(value, "operator", None), "task_id", None)
        if hasattr(value, "key") and isinstance(source, str):
            return f"XCom of {source}" if value.key == "return_value" else f"XCom {value.key!r} of {source}"
        try:
            text = repr(value)
        except Exception:  # noqa: BLE001 -- the user's __repr__ may do anything
            text = f"<{type(value).__name__}>"
        text = _TEXTS.sub(lambda found: f"{{{', '.join(sorted(found[1].split(', ')))}}}", text)
        return self.text(_ADDRESS.sub("", text))


def differs(value: Any, default: Any) -> bool:
    """Return True unless the value is its default; objects whose comparison fails count as different."""
    if value is default:
        return False
    try:
        return not bool(value == default)
    except Exception:  # noqa: BLE001 -- numpy and the like have no truth value
        return True


def seconds(value: Any) -> Any:
    """Return a duration in seconds, given as timedelta or number, or None."""
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    return float(value) if isinstance(value, (int, float)) else None
