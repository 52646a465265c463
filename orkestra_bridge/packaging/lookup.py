"""Where a dotted module name leads below a folder, by the rules of Python's path finder."""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import final

COMPILED = (".so", ".pyd", ".dylib")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The way from a folder to a module.

    Attributes:
        complete: False where the name leads nowhere.
        files: The files on the way, relative to the root: ``__init__`` of each package and the module itself.
        folder: The folder of the package if the name ends in one, where its submodules are.
        parent: If not complete, the part of the name that is there.
        missing: If not complete, the next part of the name, which is not there.
    """

    complete: bool
    files: tuple[str, ...] = ()
    folder: str | None = None
    parent: str = ""
    missing: str = ""


def find_module(root: str, base: str, dotted: str) -> Found:
    """Return where ``dotted`` leads from the folder ``base`` below ``root``."""
    files: list[str] = []
    folder = base
    parts = dotted.split(".")
    for index, part in enumerate(parts):
        package = posixpath.join(folder, part)
        init = package_init(root, package)
        files.extend(init)
        if not init and (module := _module(root, package)):
            rest = parts[index + 1 :]
            parent = ".".join(parts[: index + 1])
            return Found(complete=not rest, files=(*files, module), parent=parent, missing="".join(rest[:1]))
        if not init and not _holds_python(posixpath.join(root, package)):
            return Found(complete=False, files=tuple(files), parent=".".join(parts[:index]), missing=part)
        folder = package
    return Found(complete=True, files=tuple(files), folder=folder)


def package_init(root: str, package: str) -> tuple[str, ...]:
    """Return the ``__init__.py`` of a folder, or nothing if it is not a regular package."""
    path = posixpath.join(package, "__init__.py")
    return (path,) if Path(root, path).is_file() else ()


def _module(root: str, stem: str) -> str:
    """Return the file of a module that is not a package, or an empty string."""
    if Path(root, f"{stem}.py").is_file():
        return f"{stem}.py"
    folder, name = posixpath.split(stem)
    try:
        compiled = _compiled(posixpath.join(root, folder), Path(root, folder).stat().st_mtime_ns)
    except OSError:
        return ""
    return next((posixpath.join(folder, entry) for entry in compiled if entry.startswith(f"{name}.")), "")


@lru_cache(maxsize=256)
def _compiled(folder: str, _changed: int) -> tuple[str, ...]:
    return tuple(sorted(entry.name for entry in Path(folder).iterdir() if entry.name.endswith(COMPILED)))


def _holds_python(folder: str) -> bool:
    """Tell a namespace package from a folder of SQL files, which must not hide a distribution."""
    for _, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name.isidentifier() and name != "__pycache__"]
        if any(name.endswith((".py", *COMPILED)) for name in names):
            return True
    return False
