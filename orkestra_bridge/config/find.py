"""Where a project's configuration is: in the working directory, or in the nearest folder above it that has one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, final

from orkestra_bridge.errors import UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from dataclasses import dataclass

if TYPE_CHECKING:
    from pathlib import Path

OWN_FILE = "orkestra.toml"
PROJECT_FILE = "pyproject.toml"
TABLE = ("tool", "orkestra-bridge")


@final
@dataclass(frozen=True, slots=True)
class Source:
    """A file with a configuration.

    Attributes:
        table: Where in the file it begins; empty for the whole file.
        content: The table's values.
        text: The file as it is, to find places in.
    """

    file: Path
    table: tuple[str, ...]
    content: dict[str, Any]
    text: str


def find_source(start: Path) -> Source | None:
    """Return the configuration of a folder or of the nearest one above it, None if there is none.

    `orkestra.toml` comes before a pyproject.toml beside it; one without `[tool.orkestra-bridge]` does not count.

    Raises:
        UsageError: The file cannot be read, or is not TOML.
    """
    for folder in (start, *start.parents):
        for name in (OWN_FILE, PROJECT_FILE):
            if (folder / name).is_file():
                source = read_source(folder / name)
                if source is not None:
                    return source
    return None


def read_source(file: Path) -> Source | None:
    """Return the configuration in a file, None for a pyproject.toml without one; raises like `find_source`."""
    try:
        text = file.read_bytes().decode("utf-8")
        content: dict[str, Any] = tomllib.loads(text)
    except OSError as problem:
        raise UsageError(
            f"{file} cannot be read: {problem.strerror}", remedy="correct the path or the rights"
        ) from problem
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise UsageError(f"{file} is not TOML: {problem}", remedy="correct it") from problem
    table: tuple[str, ...] = ()
    if file.name == PROJECT_FILE:
        table = TABLE
        for name in TABLE:
            inner = content.get(name)
            if not isinstance(inner, dict):
                return None
            content = inner
    return Source(file, table, content, text)
