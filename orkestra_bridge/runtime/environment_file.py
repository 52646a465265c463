"""Reads a ``.env`` file as DockerOperator does, which lets python-dotenv do it: names, quotes, comments, ``${NAME}``."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

_LINE = re.compile(
    r"""\s*(?:export\s+)?(?P<name>[A-Za-z_][\w.]*|'[^']+')\s*
    (?:=[^\S\n]*(?:'(?P<single>(?:\\'|[^'])*)'|"(?P<double>(?:\\.|[^"\\])*)"|(?P<plain>[^\n]*?)))?
    [^\S\n]*(?:(?<=\s)\#[^\n]*)?""",
    re.VERBOSE,
)
_NAME = re.compile(r"\$\{(?P<name>[^\}:]*)(?::-(?P<default>[^\}]*))?\}")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}


def read(stream: TextIO) -> dict[str, str | None]:
    """Return the variables in their order; None for a name without a value.

    Raises ValueError: a line is none of a ``.env`` file.
    """
    found: dict[str, str | None] = {}
    for number, line in enumerate(stream, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise ValueError(f"line {number} of the environment file is not NAME=value")
        found[match["name"].strip("'")] = _value(match, found)
    return found


def _value(match: re.Match[str], known: dict[str, str | None]) -> str | None:
    if match["double"] is not None:
        text = re.sub(r"\\(.)", lambda part: _ESCAPES.get(part[1], part[0]), match["double"])
    elif match["single"] is not None:
        text = match["single"].replace("\\'", "'")
    elif match["plain"] is not None:
        text = match["plain"].rstrip()
    else:
        return None
    return _NAME.sub(lambda name: _known(name, known), text)


def _known(match: re.Match[str], known: dict[str, str | None]) -> str:
    # python-dotenv: the process's own environment comes after the file's
    value = known.get(match["name"], os.environ.get(match["name"]))
    return value if value is not None else match["default"] or ""
