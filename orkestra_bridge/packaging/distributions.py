"""What is installed in some site-packages folders, read from the metadata there; nothing is imported.

Reading every RECORD of an Airflow environment takes a good part of a second. So a name is first looked for
under the distribution that is called the same, and only a name that is not found there makes the full index.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import TYPE_CHECKING, final
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PROVIDERS = "airflow.providers."
_GROUPS = ("apache", "cncf", "common", "dbt", "microsoft")
SHARED_BY_PROVIDERS = frozenset(
    {"airflow", "airflow/providers", *(f"airflow/providers/{name}" for name in _GROUPS)}
)
"""Folders that providers' distributions share; old ones bring an ``__init__.py`` for them."""

MODULE_SUFFIXES = (".py", ".so", ".pyd")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One installed distribution.

    Attributes:
        modules: Import names: top-level, or dotted below a namespace package; sorted.
        requires: Its ``Requires-Dist`` lines.
        folder: The source folder it was installed from, empty if it came from an index.
        url: Where pip got it from (PEP 610), for version control and archives; else empty.
        pure: True if its wheel says that nothing in it is compiled.
    """

    name: str
    version: str
    modules: tuple[str, ...]
    requires: tuple[str, ...]
    folder: str = ""
    url: str = ""
    pure: bool = False


@lru_cache(maxsize=4096)
def normalized(name: str) -> str:
    """Return a distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@lru_cache(maxsize=8)
def index_of(site_packages: tuple[Path, ...]) -> DistributionIndex:
    """Return the index of these folders, the same one for the whole process."""
    return DistributionIndex(site_packages)


class DistributionIndex:
    """Finds distributions by their name or by a module they bring."""

    def __init__(self, site_packages: Iterable[Path]) -> None:
        self._places: dict[str, Path] = {}
        self._read: dict[str, Distribution] = {}
        for folder in site_packages:
            for place in sorted(folder.glob("*-info")):
                self._places.setdefault(normalized(place.name.partition("-")[0]), place)

    def get(self, name: str) -> Distribution | None:
        """Return the distribution with this name, None if it is not installed."""
        key = normalized(name)
        if key not in self._read and key in self._places:
            self._read[key] = _read(self._places[key])
        return self._read.get(key)

    def names(self, prefix: str) -> tuple[str, ...]:
        """Return the normalized names of the installed distributions that begin so, sorted."""
        return tuple(sorted(name for name in self._places if name.startswith(prefix)))

    def files(self, name: str) -> Iterator[tuple[str, str]]:
        """Yield path and size, as texts, of each file of a distribution; nothing if it has no RECORD."""
        place = self._places.get(normalized(name))
        record = PathDistribution(place).read_text("RECORD") if place else None
        for line in (record or "").splitlines():
            path, _, size = line.rpartition(",")
            yield path.partition(",")[0].strip('"'), size

    def owners(self, module: str, names: tuple[str, ...] = ()) -> tuple[Distribution, ...]:
        """Return the distributions that bring ``from module import names``; none if no one does.

        Several where a namespace package is spread over distributions.
        """
        if module.startswith(PROVIDERS):
            return self._provider(module, names)
        like_named = self.get(module.partition(".")[0])
        if like_named is not None and any(_brings(like_named, module, name) for name in names or ("",)):
            return (like_named,)
        top = module.partition(".")[0]
        candidates = [self.get(name) for name in self._by_top.get(top, ())]
        found = [each for each in candidates if each is not None]
        exact = [each for each in found if any(_brings(each, module, name) for name in names or ("",))]
        return tuple(exact or (each for each in found if top in each.modules))

    def _provider(self, module: str, names: tuple[str, ...]) -> tuple[Distribution, ...]:
        """Return the provider of Airflow that brings a module: it has the module's name."""
        parts = module.split(".")[2:]
        ways = [parts[:length] for length in (1, 2, 3)] + [[*parts, name] for name in names]
        found = [self.get("-".join(("apache-airflow-providers", *way))) for way in ways]
        return tuple(
            each
            for each in dict.fromkeys(found)
            if each and any(_brings(each, module, name) for name in names or ("",))
        )

    @cached_property
    def _by_top(self) -> dict[str, list[str]]:
        tops: dict[str, list[str]] = {}
        for key in sorted(self._places):
            distribution = self.get(key)
            for top in sorted(
                {module.partition(".")[0] for module in distribution.modules} if distribution else ()
            ):
                tops.setdefault(top, []).append(key)
        return tops


def _brings(distribution: Distribution, module: str, name: str) -> bool:
    wanted = f"{module}.{name}." if name else f"{module}."
    return any(wanted.startswith(f"{own}.") for own in distribution.modules)


def _read(place: Path) -> Distribution:
    metadata = PathDistribution(place)
    origin = _origin(place)
    url = str(origin.get("url", ""))
    local = url.startswith("file:") and "dir_info" in origin
    folder = unquote(urlsplit(url).path) if local else ""
    name = metadata.metadata["Name"] or place.name.partition("-")[0]
    shared = SHARED_BY_PROVIDERS if normalized(name).startswith("apache-airflow-providers-") else frozenset()
    modules = set(_modules(metadata, place, shared))
    if folder:
        modules |= _modules_of_folder(Path(folder))
    return Distribution(
        name=name,
        version=metadata.version,
        modules=tuple(sorted(modules)),
        requires=tuple(metadata.requires or ()),
        folder=folder,
        url="" if local else _pip_url(origin),
        pure="Root-Is-Purelib: true" in (metadata.read_text("WHEEL") or ""),
    )


def _origin(place: Path) -> dict[str, object]:
    try:
        origin = json.loads((place / "direct_url.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return origin if isinstance(origin, dict) else {}


def _pip_url(origin: dict[str, object]) -> str:
    """Return a URL that pip and uv install from: PEP 610's fields in one string."""
    vcs = origin.get("vcs_info")
    if isinstance(vcs, dict):
        return f"{vcs.get('vcs', 'git')}+{origin['url']}@{vcs.get('commit_id', '')}"
    return str(origin.get("url", ""))


def _modules(metadata: PathDistribution, place: Path, shared: frozenset[str]) -> Iterator[str]:
    """Yield the import names that RECORD shows; ``top_level.txt`` where there is no RECORD.

    ``shared`` are folders that are no packages of this distribution alone, although they have an ``__init__.py``.
    """
    record = metadata.read_text("RECORD")
    if not record:
        yield from (
            (place / "top_level.txt").read_text().split() if (place / "top_level.txt").is_file() else ()
        )
        return
    paths = [line.split(",", 1)[0].strip('"') for line in record.splitlines()]
    files = [path for path in paths if path.endswith(MODULE_SUFFIXES) and not path.startswith(("..", "/"))]
    packages = {path[: -len("/__init__.py")] for path in files if path.endswith("/__init__.py")} - shared
    for path in files:
        if shared and path.removesuffix("/__init__.py") in shared:
            continue
        name = _module_of(path, packages)
        if name and not name.startswith("__editable__"):
            yield name


def _module_of(path: str, packages: set[str]) -> str:
    """Return the shortest name that is this distribution's alone, such as ``google.cloud.storage``."""
    *folders, file = path.split("/")
    for depth in range(1, len(folders) + 1):
        if "/".join(folders[:depth]) in packages:
            return ".".join(folders[:depth]) if _importable(folders[:depth]) else ""
    stem = file.split(".", 1)[0]
    return ".".join([*folders, stem]) if _importable([*folders, stem]) else ""


def _importable(parts: list[str]) -> bool:
    return all(part.isidentifier() for part in parts)


def _modules_of_folder(folder: Path) -> set[str]:
    """Return the packages and modules of a source tree, flat or with a ``src`` folder (editable installs)."""
    base = folder / "src" if (folder / "src").is_dir() else folder
    packages = {init.parent.name for init in base.glob("*/__init__.py")}
    modules = {module.stem for module in base.glob("*.py")}
    return {name for name in packages | modules if name.isidentifier()} - {
        "setup",
        "conftest",
        "tests",
        "docs",
    }
