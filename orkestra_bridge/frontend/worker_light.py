"""Airflow imported without what only executing tasks needs.

Part of the worker program: standard library only, Python 3.8 and later.

Every Airflow that can edit the source of decorated functions imports `libcst` for that: a seventh of its start, for
something that only tasks in other Pythons do, when they run. Here a stand-in is imported in its place, which turns into
the real one as soon as somebody asks it for anything.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = "libcst"


class _StandIn(types.ModuleType):
    """Has what Airflow's modules ask for while they are imported: a class to derive from."""

    CSTTransformer = object

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(_NAME) is self:
            del sys.modules[_NAME]
        real = importlib.import_module(_NAME)
        for module in [each for each in list(sys.modules.values()) if self in _values(each)]:
            importlib.reload(module)
        return getattr(real, name)


def _values(module: Any) -> list[Any]:
    return [value for value in list(getattr(module, "__dict__", {}).values()) if type(value) is _StandIn]


@contextlib.contextmanager
def without_extras() -> Iterator[None]:
    """Import modules inside of this without loading what they do not need yet; other modules are not affected."""
    if _NAME in sys.modules or importlib.util.find_spec(_NAME) is None:
        yield
        return
    stand_in = sys.modules[_NAME] = _StandIn(_NAME)
    try:
        yield
    finally:
        if sys.modules.get(_NAME) is stand_in:
            del sys.modules[_NAME]
