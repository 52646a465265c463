"""Serves every `airflow.*` import path from one table, so that both majors' spellings lead to the same objects."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from typing import TYPE_CHECKING, Any

from airflow._impl.paths import MODULES, ONLY_2, ONLY_3, PROVIDERS, REPLACED_BY_PROVIDERS
from airflow._impl.settings import EXAMPLES, SETTINGS

if TYPE_CHECKING:
    from types import ModuleType

_OLD = ("airflow.contrib", "airflow.hooks.", "airflow.operators.", "airflow.sensors.")
REMEDY = (
    "The task runtime offers the part of Airflow that DAG files and Python tasks use, not the whole of it. "
    "Import this name inside the function that needs it if no translated task does, "
    "or replace it by plain Python, boto3 or the client library of the service."
)


@lru_cache(maxsize=1)
def _old_paths() -> dict[str, str]:
    """Return the paths of Airflow 1 that Airflow 2 redirects: path -> "module Name Name=attribute module ..."."""
    with open(os.path.join(os.path.dirname(__file__), "old_paths.txt"), encoding="utf-8") as stream:
        lines = stream.read().splitlines()
    return {f"airflow.{path}": target for path, _, target in (line.partition(" ") for line in lines)}


def _redirected(path: str) -> bool:
    """Return True for a path of Airflow 1, or the package of one, that is in none of the tables by itself."""
    if SETTINGS.major != 2 or not path.startswith(_OLD):
        return False
    return path in _old_paths() or any(known.startswith(f"{path}.") for known in _old_paths())


def _hidden(path: str) -> bool:
    absent = ONLY_3 if SETTINGS.major == 2 else ONLY_2
    return any(path == name or path.startswith(name + ".") for name in absent)


def _is_package(path: str) -> bool:
    inside = f"{path}."
    if any(name.startswith(inside) for name in MODULES):
        return True
    return _redirected(path) and path not in _old_paths()


def _known(path: str) -> bool:
    return ((path in MODULES or _is_package(path)) and not _hidden(path)) or _redirected(path)


def _installed(path: str, folders: Any) -> ModuleSpec | None:
    """Return where another finder has a module of a provider, None if the package holds no such provider."""
    if not path.startswith(PROVIDERS):
        return None
    for finder in sys.meta_path:
        if isinstance(finder, FacadeFinder):
            continue
        spec = finder.find_spec(path, folders, None)
        if spec is not None:
            return spec
    return None


def _provider_folders(path: str) -> list[str]:
    """Return the folders in which installed providers have a part of the namespace ``airflow.providers``."""
    if not f"{path}.".startswith(PROVIDERS):
        return []
    relative = path.replace(".", "/")
    return [folder for entry in sys.path if os.path.isdir(folder := os.path.join(entry, relative))]


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
        if self.homes.get(name, ("",))[0] != "absent":  # each look-up of those is noted
            self.namespace[name] = value
        return value

    def find(self, name: str) -> Any:
        if name in self.homes:
            home, attribute = self.homes[name]
            if home == "absent":
                import_module("airflow._impl.absent").note(self.path, name)
            module = import_module(home if home.startswith("airflow.") else f"airflow._impl.{home}")
            return module if attribute == "*" else getattr(module, attribute)
        path = f"{self.path}.{name}"
        if _known(path):
            return import_module(path)
        if path.startswith(PROVIDERS):
            with suppress(ModuleNotFoundError):
                return import_module(path)
        raise missing(self.path, name)


def _homes(path: str) -> dict[str, tuple[str, str]]:
    """Return name -> (module below `_impl`, attribute) of an import path.

    An entry of the table reads ``module: Name Name=attribute``; ``Name=*`` is the module itself.
    """
    homes: dict[str, tuple[str, str]] = {}
    if path not in MODULES and _redirected(path):
        return _old_homes(_old_paths().get(path, ""))
    for line in MODULES.get(path, ()):
        home, _, names = line.partition(":")
        for word in names.split():
            name, _, attribute = word.partition("=")
            homes[name] = (home, attribute or name)
    return homes


def _old_homes(line: str) -> dict[str, tuple[str, str]]:
    homes: dict[str, tuple[str, str]] = {}
    module = ""
    for word in line.split():
        if "." in word:
            module = word
        else:
            name, _, attribute = word.partition("=")
            homes[name] = (module, attribute or name)
    return homes


class FacadeFinder:
    """Makes the modules below `airflow` that stand in the table; explains the absence of the others.

    A finder and loader by its methods: deriving from `importlib.abc` would load a dozen modules with every cold start.
    """

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if not fullname.startswith("airflow.") or fullname.startswith("airflow._impl"):
            return None
        if fullname == EXAMPLES and SETTINGS.dags_folder:
            examples = ModuleSpec(fullname, self, is_package=True)
            examples.submodule_search_locations = [SETTINGS.dags_folder]
            return examples
        if fullname.startswith(f"{EXAMPLES}.") and (beside := PathFinder.find_spec(fullname, path)):
            return beside
        if f"{fullname}." in REPLACED_BY_PROVIDERS or not _known(fullname):
            spec = _installed(fullname, path)
            if spec is not None:
                return spec
        if not _known(fullname):
            text = f"No module named {fullname!r} in the task runtime. {REMEDY}"
            raise ModuleNotFoundError(text, name=fullname)
        spec = ModuleSpec(fullname, self, is_package=_is_package(fullname))
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations.extend(_provider_folders(fullname))
            provided = _installed(fullname, path)
            spec.submodule_search_locations.extend((provided and provided.submodule_search_locations) or ())
        return spec

    def create_module(self, _spec: ModuleSpec) -> None:
        """Leave the making of the module to Python."""

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
