"""Condition expressions of DynamoDB, as far as `convert` emits them.

Source: DynamoDB developer guide, "Condition and filter expressions, operators, and functions": AND binds more tightly
than OR.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol, final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orkestra_bridge.local.interpreter import Json

Item = dict[str, Any]

NAME = r"([a-z_]+[0-9]*)"
VALUE = r"(:[a-z_]+[0-9]*)"


class Values(Protocol):
    """The values of the expression; a name that is not among them raises what DynamoDB says."""

    def __getitem__(self, name: str) -> Json: ...


class UnknownConditionError(ValueError):
    """A piece of a condition that is not understood here."""


def _absent(item: Item, name: str, _: Json) -> bool:
    return name not in item


def _there(item: Item, name: str, _: Json) -> bool:
    return name in item


def _contains(item: Item, name: str, value: Json) -> bool:
    return value["S"] in item.get(name, {}).get("SS", ())


def _smaller(item: Item, name: str, value: Json) -> bool:
    return name in item and len(item[name]["SS"]) < int(value["N"])


def _enough(item: Item, name: str, needed: Json) -> bool:
    return name in item and needed in item and len(item[name]["SS"]) >= int(item[needed]["N"])


_TERMS: Mapping[str, Callable[[Item, str, Json], bool]] = {
    rf"attribute_not_exists\({NAME}\)()": _absent,
    rf"attribute_exists\({NAME}\)()": _there,
    rf"contains\({NAME}, {VALUE}\)": _contains,
    rf"size\({NAME}\) < {VALUE}": _smaller,
    rf"size\({NAME}\) >= {NAME}": _enough,
}
_TOKENS = re.compile("|".join(f"({term})" for term in (*_TERMS, r"\bAND\b", r"\bOR\b", r"\(", r"\)", r"\S+")))


def holds(expression: str, item: Item, values: Values) -> bool:
    """Return True if an item satisfies the condition; every term is looked at, even if an earlier one decides.

    Raises UnknownConditionError: there is something in it that is not known here.
    """
    reader = _Reader([match[0] for match in _TOKENS.finditer(expression)], item, values)
    held = reader.either()
    if reader.tokens:
        raise UnknownConditionError(reader.tokens[0])
    return held


@final
class _Reader:
    def __init__(self, tokens: list[str], item: Item, values: Values) -> None:
        self.tokens = tokens
        self.item = item
        self.values = values

    def either(self) -> bool:
        found = [self.both()]
        while self._next("OR"):
            found.append(self.both())
        return any(found)

    def both(self) -> bool:
        found = [self.term()]
        while self._next("AND"):
            found.append(self.term())
        return all(found)

    def term(self) -> bool:
        if self._next("("):
            held = self.either()
            if not self._next(")"):
                raise UnknownConditionError("a bracket without its other half")
            return held
        text = self.tokens.pop(0) if self.tokens else ""
        for pattern, look in _TERMS.items():
            match = re.fullmatch(pattern, text)
            if match:
                other = match[2]
                return look(self.item, match[1], self.values[other] if other.startswith(":") else other)
        raise UnknownConditionError(text)

    def _next(self, token: str) -> bool:
        """Return True if this token comes next, which is then read."""
        if not self.tokens or self.tokens[0] != token:
            return False
        self.tokens.pop(0)
        return True
