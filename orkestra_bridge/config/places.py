"""In which line of a TOML file a key stands; no TOML library for reading says so.

The file has been parsed before, so only its lines are looked at: a table's header, or a key at the beginning of a line.
"""

from __future__ import annotations

import re

_HEADER = re.compile(r"^\s*\[+([^\]#]+)\]")
_KEY = re.compile(
    r"""^\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*="""
)
_PART = re.compile(r""""([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+)""")


def line_of(text: str, path: tuple[str, ...]) -> int:
    """Return the number of the line in which a key or a table is given, from 1; that of what is around it if unclear."""
    best, depth = 1, 0
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        header, key = _HEADER.match(line), _KEY.match(line)
        if header:
            table = found = _parts(header[1])
        elif key:
            found = (*table, *_parts(key[1]))
        else:
            continue
        common = len(found) if path[: len(found)] == found else 0
        if common > depth:
            best, depth = number, common
    return best


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(next(group for group in groups if group) for groups in _PART.findall(dotted) if any(groups))
