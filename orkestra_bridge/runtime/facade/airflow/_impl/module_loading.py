"""`airflow.utils.module_loading`."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType


def import_string(dotted_path: str) -> Any:
    """Return the object that a dotted path names; raises ImportError if there is none."""
    module, _, name = dotted_path.rpartition(".")
    if not module:
        raise ImportError(f"{dotted_path} doesn't look like a module path")
    try:
        return getattr(importlib.import_module(module), name)
    except AttributeError:
        raise ImportError(f'Module "{module}" does not define a "{name}" attribute/class') from None


def qualname(o: Any, use_qualname: bool = True, exclude_module: bool = False) -> str:
    """Return the dotted name of a class or function, of other objects that of their class."""
    while isinstance(o, functools.partial):
        o = o.func
    kind = o if callable(o) and hasattr(o, "__qualname__") else type(o)
    name = kind.__qualname__ if use_qualname else kind.__name__
    return str(name) if exclude_module else f"{kind.__module__}.{name}"


def is_valid_dotpath(path: str) -> bool:
    """Return True if a text has the form of a dotted path to an importable object."""
    return isinstance(path, str) and bool(re.match(r"^[a-zA-Z_]\w*(\.[a-zA-Z_]\w*)+$", path))


def iter_namespace(ns: ModuleType) -> Iterator[str]:
    """Yield the full names of a package's direct submodules."""
    return (name for _, name, _ in pkgutil.iter_modules(ns.__path__, f"{ns.__name__}."))
