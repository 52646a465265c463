"""Pieces of JSONata text. ``${`` is never written: CloudFormation would take it for a substitution."""

from __future__ import annotations

import json
import re

_PLAIN_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_WORDS = frozenset({"and", "or", "in", "true", "false", "null", "function"})

_NAMED_TWICE = 3


def expression(text: str) -> str:
    """Return the text as ASL marks JSONata: ``{% text %}``."""
    return f"{{% {text} %}}"


def text(value: str) -> str:
    """Return a JSONata string literal."""
    return json.dumps(value, ensure_ascii=False) if "'" in value or "\\" in value else f"'{value}'"


def texts(values: tuple[str, ...] | list[str]) -> str:
    """Return a JSONata array of string literals."""
    return f"[{', '.join(text(value) for value in values)}]"


def lookup(base: str, key: str) -> str:
    """Return the path to a field, quoted with backticks where the key is not a plain word.

    >>> lookup("$states.input", "load.users")
    '$states.input.`load.users`'
    """
    if _PLAIN_FIELD.match(key) and key not in _WORDS:
        return f"{base}.{key}"
    return f"{base}.`{key}`"


def merge(*parts: str) -> str:
    """Return the expression that lays objects over each other, the last one on top."""
    return f"$merge([{', '.join(parts)}])"


def picked(base: str, keys: tuple[str, ...] | list[str]) -> str:
    """Return the expression for an object with these fields of another one, as far as it has them; several keys.

    >>> picked("$states.input", ["a", "b"])
    "{'a': $states.input.a, 'b': $states.input.b}"
    """
    if len(keys) <= _NAMED_TWICE:
        return f"{{{', '.join(f'{text(key)}: {lookup(base, key)}' for key in keys)}}}"
    return f"$sift({base}, function($entry, $id) {{$id in {texts(keys)}}})"
