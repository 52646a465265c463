"""Runs a function with exactly the imports that a Lambda function would have; stdlib only, stands alone.

Started as ``python -I -S isolation.py CONFIG``; CONFIG is a JSON object, or ``@FILE``, a file that holds it:

    task_root       folder of the unzipped package (what /var/task is on AWS); first on sys.path
    site_packages   folders in which third-party modules are searched (what the layer holds on AWS)
    modules         import names that may come from there: top-level ("pandas"), or dotted below a
                    namespace package ("google.cloud.storage"), providers of Airflow included
                    ("airflow.providers.http")
    distributions   optional: names that ``importlib.metadata`` may see; left out: all of site_packages
    run             "package.module:function", or "/path/program.py:function" for one outside of the package
    args            optional: JSON values, the positional arguments of that function

Everything else that is installed on this machine raises ModuleNotFoundError, as it would on AWS; ``airflow``
itself never comes from site_packages, only the facade in the package can provide it. ``-I -S`` keeps PYTHON*
variables, the user's site and .pth files out. If the function returns an int, that is the exit code, else 0.

A process that already runs may call :func:`isolate` itself (the preflight does so after each fork); a program
that was started by path finds this module as ``sys.modules["_orkestra_isolation"]``.
"""

from __future__ import annotations

import json
import sys
from importlib.machinery import ModuleSpec, PathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from importlib.metadata import Distribution

NEVER_FROM_SITE_PACKAGES = frozenset({"airflow", "orkestra_bridge"})
PROVIDERS = "airflow.providers."
USAGE = "usage: python -I -S isolation.py CONFIG_JSON|@FILE"


class ListedModulesFinder:
    """A meta path finder that offers only the listed modules of some folders.

    It stands last on ``sys.meta_path``: the package and the standard library win over the layer.
    """

    def __init__(
        self, folders: Sequence[str], modules: Iterable[str], distributions: Iterable[str] | None = None
    ) -> None:
        self.folders = list(folders)
        self.modules = frozenset(modules)
        self.tops = frozenset(name.partition(".")[0] for name in self.modules) - NEVER_FROM_SITE_PACKAGES
        self.providers = frozenset(name for name in self.modules if name.startswith(PROVIDERS))
        self.provider_spaces = frozenset(
            name[:dot]
            for name in self.providers
            for dot, letter in enumerate(name)
            if letter == "." and dot > len(PROVIDERS)
        )
        self.distributions = None if distributions is None else frozenset(map(_normalized, distributions))

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: Any = None
    ) -> ModuleSpec | None:
        """Return where a listed top-level module or provider is, None for any other (children have a path)."""
        if fullname in self.providers or fullname in self.provider_spaces:
            return self.find_provider(fullname)
        if path is not None or fullname not in self.tops:
            return None
        spec = PathFinder.find_spec(fullname, self.folders, target)
        if spec is not None and spec.loader is None and spec.submodule_search_locations is not None:
            # A plain list: importlib's namespace path would search sys.path again, where this folder is not.
            spec.submodule_search_locations = list(spec.submodule_search_locations)
        return spec

    def find_provider(self, fullname: str) -> ModuleSpec | None:
        """Return where a part of the namespace ``airflow.providers`` is, which is shared with the facade."""
        relative = fullname.replace(".", "/")
        if fullname not in self.providers:
            spec = ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = [f"{folder}/{relative}" for folder in self.folders]
            return spec
        above = relative.rpartition("/")[0]
        return PathFinder.find_spec(fullname, [f"{folder}/{above}" for folder in self.folders])

    def find_distributions(self, context: Any) -> Iterable[Distribution]:
        """Yield the metadata of the listed distributions: ``importlib.metadata`` answers as on AWS."""
        from importlib.metadata import DistributionFinder, MetadataPathFinder

        wanted = DistributionFinder.Context(name=context.name, path=self.folders)
        for distribution in MetadataPathFinder.find_distributions(wanted):
            if self.distributions is None or _normalized(distribution.metadata["Name"]) in self.distributions:
                yield distribution

    def invalidate_caches(self) -> None:
        """Forget what the folders held."""
        PathFinder.invalidate_caches()


class UnlistedNamespaceGuard:
    """Hides the parts of a namespace package that no listed distribution brings; stands first."""

    def __init__(self, folders: Sequence[str], modules: Iterable[str]) -> None:
        self.folders = tuple(folders)
        self.parts = tuple(sorted(name for name in modules if "." in name))
        self.tops = frozenset(part.partition(".")[0] for part in self.parts) - frozenset(modules)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: Any = None
    ) -> ModuleSpec | None:
        """Return None; raises ModuleNotFoundError for ``google.other`` if only ``google.cloud`` is listed."""
        if fullname.partition(".")[0] not in self.tops or path is None or target is not None:
            return None
        if not any(str(entry).startswith(self.folders) for entry in path):
            return None
        for part in self.parts:
            if f"{part}.".startswith(f"{fullname}.") or f"{fullname}.".startswith(f"{part}."):
                return None
        raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


def _normalized(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


def isolate(config: dict[str, Any]) -> None:
    """Set this process's imports up for one package; a second call replaces the first.

    Folders of site_packages are taken off ``sys.path`` should they be there.
    """
    folders = [str(folder) for folder in config.get("site_packages", ())]
    modules = [str(name) for name in config.get("modules", ())]
    kept = [entry for entry in sys.path if entry and entry not in folders and not entry.endswith("-packages")]
    root = str(config["task_root"])
    sys.path[:] = [root, *(entry for entry in kept if entry != root)]
    sys.dont_write_bytecode = True
    ours = (ListedModulesFinder, UnlistedNamespaceGuard)
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, ours)]
    guard = UnlistedNamespaceGuard(folders, modules)
    if guard.tops:
        sys.meta_path.insert(0, guard)
    sys.meta_path.append(ListedModulesFinder(folders, modules, config.get("distributions")))


def resolve(reference: str) -> Callable[..., Any]:
    """Return what ``module:function`` or ``file.py:function`` names; raises ImportError, AttributeError."""
    import importlib
    import importlib.util

    place, _, name = reference.rpartition(":")
    if not place.endswith(".py"):
        function: Callable[..., Any] = getattr(importlib.import_module(place), name)
        return function
    spec = importlib.util.spec_from_file_location("_isolated_program", place)
    if spec is None or spec.loader is None:
        raise ImportError(f"{place} is not a Python program")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    program: Callable[..., Any] = getattr(module, name)
    return program


def main(argv: Sequence[str]) -> int:
    """Isolate this process as the configuration says, call its function and return the exit code."""
    if len(argv) != 1:
        print(USAGE, file=sys.stderr)  # noqa: T201 - the one message of a stdlib-only program
        return 2
    text = argv[0]
    if text.startswith("@"):
        with open(text[1:], encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs 10 ms at every start
            text = file.read()
    config = json.loads(text)
    isolate(config)
    sys.modules["_orkestra_isolation"] = sys.modules[__name__]
    answer = resolve(config["run"])(*config.get("args", ()))
    return answer if isinstance(answer, int) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
