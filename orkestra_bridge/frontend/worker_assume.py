"""Made-up values for what a DAG file lacks, so that loading it again shows what else it lacks.

Only what really stopped a load is made up: a Variable that the file can do without keeps its default. Part of the worker
program: standard library and Airflow only, Python 3.8 and later.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import json
import sys
import types
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXTS = ("made-up", "1", "2024-01-01", "@daily", "{}")
"""What a made-up value reads, tried in this order where code does not take the one before."""
CONNECTION = "http://made-up:made-up@made-up:80/made-up"
_MOST = 60


class Assumed:
    """What is made up for the file that is being loaded; kinds are variable, connection, environ and module."""

    def __init__(self) -> None:
        self._names: dict[str, set[str]] = {}
        self._text = 0
        self._finder = _Finder(self)

    def __bool__(self) -> bool:
        return bool(self._names)

    def clear(self) -> None:
        """Forget everything before the next file."""
        self._names.clear()
        self._text = 0

    def add(self, kind: str, name: str) -> bool:
        """Make a name up from now on; False if it is made up already, so that it cannot help."""
        names = self._names.setdefault(kind, set())
        if name in names or sum(map(len, self._names.values())) >= _MOST:
            return False
        names.add(name)
        return True

    def other_text(self) -> bool:
        """Let made-up values read another way from now on; False if every way has been tried."""
        if self._text + 1 >= len(TEXTS):
            return False
        self._text += 1
        return True

    def first_text(self) -> None:
        """Let made-up values read the first way again."""
        self._text = 0

    def names(self) -> list[list[str]]:
        """Return kind and name of all that is made up, sorted."""
        return sorted([kind, name] for kind, names in self._names.items() for name in names)

    def value(self, kind: str, name: str) -> str | None:
        """Return a made-up value, None if this name is not made up."""
        if name not in self._names.get(kind, ()):
            return None
        return CONNECTION if kind == "connection" else MadeUp(TEXTS[self._text])

    def stands_for(self, module: str) -> bool:
        """Return True if a module is made up: it is one of the names, or below one."""
        return any(module == name or module.startswith(name + ".") for name in self._names.get("module", ()))

    def __enter__(self) -> None:
        self._loads = json.loads
        if self:
            json.loads = self._made_up_json  # type: ignore[assignment]
            sys.meta_path.append(self._finder)

    def __exit__(self, *_: object) -> None:
        json.loads = self._loads
        if self._finder not in sys.meta_path:
            return  # nothing was made up, so there is nothing to look for among all modules
        sys.meta_path.remove(self._finder)
        for name in [name for name in sys.modules if isinstance(sys.modules[name], _Module)]:
            del sys.modules[name]

    def _made_up_json(self, text: Any, *args: Any, **kwargs: Any) -> Any:
        return MadeUpMapping() if isinstance(text, MadeUp) else self._loads(text, *args, **kwargs)


class MadeUp(str):
    """A text that can also be read as a number, or be looked into as if it were a mapping."""

    __slots__ = ()

    def __int__(self) -> int:
        return 1

    def __float__(self) -> float:
        return 1.0

    def __getitem__(self, key: Any) -> Any:
        return MadeUp(self) if isinstance(key, str) else super().__getitem__(key)

    def get(self, _key: Any, default: Any = None) -> Any:
        """Answer as a mapping would that holds everything."""
        return MadeUp(self) if default is None else default

    def items(self) -> list[Any]:
        """Answer as an empty mapping would."""
        return []

    keys = values = items


class MadeUpMapping(dict):  # type: ignore[type-arg]
    """What a made-up text is as JSON."""

    def __missing__(self, _key: Any) -> MadeUp:
        return MadeUp(TEXTS[0])

    def get(self, key: Any, default: Any = None) -> Any:
        """Answer as a mapping would that holds everything."""
        return self[key] if default is None else default


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes modules that nobody else finds, if they are made up."""

    def __init__(self, assumed: Assumed) -> None:
        self._assumed = assumed

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:  # noqa: ARG002
        if not self._assumed.stands_for(fullname):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: Any) -> types.ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:  # noqa: ARG002
        return


class _Module(types.ModuleType):
    """A made-up module: it has whatever is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = _made(name)
        setattr(self, name, made)
        return made


def _made(name: str) -> Any:
    if name.endswith(("Operator", "Sensor")):
        return _operator(name)
    if name.endswith(("Error", "Exception", "Warning")):
        return type(name, (Exception,), {})
    return _Anything(name, (_Stand,), {})


class _Anything(type):
    """The class of made-up classes and functions: they have any attribute, and calling one gives anything."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _made(name)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not kwargs and callable(args[0]) and not isinstance(args[0], type):
            return args[0]  # a decorator
        return super().__call__(*args, **kwargs)


class _Stand(metaclass=_Anything):
    """Stands for an object of a made-up module."""

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        return

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Stand()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return args[0] if len(args) == 1 and not kwargs and callable(args[0]) else _Stand()

    def __getitem__(self, key: Any) -> Any:
        return _Stand()

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        return


def _operator(name: str) -> type:
    """Return an operator class that takes any argument, so that the graph has its task."""
    import inspect

    try:
        from airflow.sdk import BaseOperator
    except ImportError:
        from airflow.models.baseoperator import BaseOperator
    known = set(inspect.signature(BaseOperator.__init__).parameters)

    def initialize(self: Any, **kwargs: Any) -> None:
        base: Callable[..., None] = BaseOperator.__init__
        base(self, **{key: value for key, value in kwargs.items() if key in known})

    return type(name, (BaseOperator,), {"__init__": initialize, "__module__": "made_up"})
