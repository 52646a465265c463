"""Airflow imported without what only executing tasks needs.

Part of the worker program: standard library only, Python 3.8 and later.

Every Airflow that can edit the source of decorated functions imports `libcst` for that: a seventh of its start, for
something that only tasks in other Pythons do, when they run. Airflow 3 imports the program that runs tasks, a fifth of
its start, to ask whether it is running one. Here a stand-in is imported in the place of each, which turns into the real
one as soon as somebody asks it for anything else.
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

# What Airflow's modules ask for while they are imported: a class to derive from, and the way to a supervisor.
_ASKED_FOR: dict[str, dict[str, Any]] = {
    "libcst": {"CSTTransformer": object},
    "airflow.sdk.execution_time.task_runner": {"SUPERVISOR_COMMS": None},
}


class _StandIn(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        own = self.__name__
        if sys.modules.get(own) is self:
            del sys.modules[own]
        real = importlib.import_module(own)
        for module in [each for each in list(sys.modules.values()) if self in _values(each)]:
            importlib.reload(module)
        return getattr(real, name)


def _values(module: Any) -> list[Any]:
    return [value for value in list(getattr(module, "__dict__", {}).values()) if type(value) is _StandIn]


@contextlib.contextmanager
def without_extras() -> Iterator[None]:
    """Import modules inside of this without loading what they do not need yet; other modules are not affected."""
    made = []
    for name, attributes in _ASKED_FOR.items():
        # Where a module below Airflow would be is not looked up: that would import Airflow.
        if name not in sys.modules and ("." in name or importlib.util.find_spec(name) is not None):
            stand_in = sys.modules[name] = _StandIn(name)
            vars(stand_in).update(attributes)
            made.append(stand_in)
    try:
        yield
    finally:
        for each in made:
            if sys.modules.get(each.__name__) is each:
                del sys.modules[each.__name__]
