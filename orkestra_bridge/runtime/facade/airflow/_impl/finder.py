"""Serves every `airflow.*` import path from one table, so that both majors' spellings lead to the same objects."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any

from airflow._impl.paths import MODULES, ONLY_2, ONLY_3
from airflow._impl.settings import SETTINGS

if TYPE_CHECKING:
    from types import ModuleType

REMEDY = (
    "The task runtime offers the part of Airflow that DAG files and Python tasks use, not the whole of it. "
    "Import this name inside the function that needs it if no translated task does, "
    "or replace it by plain Python, boto3 or the client library of the service."
)


def _hidden(path: str) -> bool:
    absent = ONLY_3 if SETTINGS.major == 2 else ONLY_2
    return any(path == name or path.startswith(name + ".") for name in absent)


def _is_package(path: str) -> bool:
    return any(name.startswith(path + ".") for name in MODULES)


def _known(path: str) -> bool:
    return (path in MODULES or _is_package(path)) and not _hidden(path)


def missing(path: str, name: str) -> ImportError:
    """Return the error for a name that the facade does not have."""
    text = f"cannot import name {name!r} from {path!r}: it is not available in the task runtime. {REMEDY}"
    return ImportError(text, name=name, path=path)


class _Names:
    """The ``__getattr__`` of a served module: finds a name's home on first use and keeps it."""

    def __init__(self, path: str, namespace: dict[str, Any]) -> None:
        self.path = path
        self.namespace = namespace
        self.homes = _homes(path)

    def __call__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.path!r} has no attribute {name!r}")
        value = self.find(name)
        self.namespace[name] = value
        return value

    def find(self, name: str) -> Any:
        if name in self.homes:
            home, attribute = self.homes[name]
            module = import_module(f"airflow._impl.{home}")
            return module if attribute == "*" else getattr(module, attribute)
        path = f"{self.path}.{name}"
        if _known(path):
            return import_module(path)
        raise missing(self.path, name)


def _homes(path: str) -> dict[str, tuple[str, str]]:
    """Return name -> (module below `_impl`, attribute) of an import path.

    An entry of the table reads ``module: Name Name=attribute``; ``Name=*`` is the module itself.
    """
    homes: dict[str, tuple[str, str]] = {}
    for line in MODULES.get(path, ()):
        home, _, names = line.partition(":")
        for word in names.split():
            name, _, attribute = word.partition("=")
            homes[name] = (home, attribute or name)
    return homes


class FacadeFinder(MetaPathFinder, Loader):
    """Makes the modules below `airflow` that stand in the table; explains the absence of the others."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if not fullname.startswith("airflow.") or fullname.startswith("airflow._impl"):
            return None
        if not _known(fullname):
            text = f"No module named {fullname!r} in the task runtime. {REMEDY}"
            raise ModuleNotFoundError(text, name=fullname)
        return ModuleSpec(fullname, self, is_package=_is_package(fullname))

    def exec_module(self, module: ModuleType) -> None:
        names = _Names(module.__name__, module.__dict__)
        module.__dict__["__getattr__"] = names
        module.__dict__["__all__"] = sorted(names.homes)


def install(root: dict[str, Any]) -> None:
    """Serve imports below the package whose namespace is given; once per process."""
    if not any(isinstance(finder, FacadeFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, FacadeFinder())
    names = _Names("airflow", root)

    def attribute(name: str) -> Any:
        # Not kept in the namespace: the version can be set after the import.
        return SETTINGS.version if name == "__version__" else names(name)

    root["__getattr__"] = attribute
    root["__all__"] = sorted(names.homes)
