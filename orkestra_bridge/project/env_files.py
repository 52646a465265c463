"""Files with ``NAME=VALUE`` lines for the environment, as Docker Compose and Astro keep them in ``.env``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def read_env_files(paths: Iterable[Path]) -> dict[str, str]:
    """Return the values of all files, those of a later one first; ``${NAME}`` in a value is not replaced.

    Raises UsageError for a file that cannot be read, or with each line that is no ``NAME=VALUE``.
    """
    values: dict[str, str] = {}
    for path in paths:
        values.update(_read(path))
    return values


def _read(path: Path) -> dict[str, str]:
    from dotenv.parser import parse_stream

    try:
        with path.open(encoding="utf-8") as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or type(problem).__name__
        raise UsageError(f"{path} cannot be read as text: {reason}", remedy="name another file") from None
    bad = [f"{path}:{each.original.line} must be NAME=VALUE" for each in bindings if each.error]
    if bad:
        raise UsageError("\n       ".join(bad), remedy="correct these lines, or put a # in front of them")
    return {each.key: each.value for each in bindings if each.key is not None and each.value is not None}
