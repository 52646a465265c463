"""What a misspelt name probably means."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def meant(name: str, names: Iterable[str]) -> str:
    """Return the end of a sentence that asks for the closest of the names; empty if none is close."""
    close = get_close_matches(name.replace("_", "-"), tuple(names), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
