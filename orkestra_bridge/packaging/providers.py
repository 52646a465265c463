"""What a DAG uses of Airflow's providers and of packages built on Airflow, and what those parts import.

A provider's own requirements name Airflow, and much that a task may never touch (amazon's: a SageMaker studio, a Redshift
driver). So the modules that the DAG imports are followed through the provider's source, as Python would, and what they
import is required; Airflow itself is the facade. Nothing is imported or run here.
"""

from __future__ import annotations

import posixpath
import sys
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, final

from orkestra_bridge.packaging.distributions import normalized
from orkestra_bridge.packaging.lookup import find_module
from orkestra_bridge.packaging.model import ThirdPartyImport
from orkestra_bridge.packaging.old_paths import provider_of
from orkestra_bridge.packaging.scan import ScannedSource, scan

if TYPE_CHECKING:
    from pathlib import Path

    from orkestra_bridge.packaging.distributions import Distribution, DistributionIndex
    from orkestra_bridge.packaging.scan import ImportStatement

NAMESPACE = "airflow.providers."
SERVED = (
    "airflow.providers.standard",
    "airflow.providers.docker.operators.docker",
    "airflow.providers.docker.decorators.docker",
    "airflow.providers.cncf.kubernetes.callbacks",
    "airflow.providers.cncf.kubernetes.operators.pod",
    "airflow.providers.cncf.kubernetes.operators.kubernetes_pod",
    "airflow.providers.cncf.kubernetes.decorators.kubernetes",
)
"""The providers, and modules of providers, that the facade has itself."""

CORE = frozenset(
    {"apache-airflow", "apache-airflow-core", "apache-airflow-task-sdk", "apache-airflow-providers-standard"}
)
"""Distributions that are Airflow itself, for which the facade stands in."""

PROVIDER_PREFIX = "apache-airflow-providers-"


def is_core(name: str) -> bool:
    """Return True for a distribution that the facade stands in for."""
    return normalized(name) in CORE


def is_provider(name: str) -> bool:
    """Return True for a distribution with a provider of Airflow that is installed as it is."""
    return normalized(name).startswith(PROVIDER_PREFIX) and not is_core(name)


def is_built_on_airflow(distribution: Distribution) -> bool:
    """Return True for a provider, or any other distribution that requires Airflow."""
    if is_provider(distribution.name):
        return True
    return any(each in CORE for each in required(distribution))


@lru_cache(maxsize=4096)
def required(distribution: Distribution) -> frozenset[str]:
    """Return the normalized names that a distribution cannot do without, whatever the platform."""
    return frozenset(normalized(_name(line)) for line in distribution.requires if "extra ==" not in line)


def _name(line: str) -> str:
    end = next((at for at, letter in enumerate(line) if not (letter.isalnum() or letter in "-_.")), len(line))
    return line[:end]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Extra:
    """An import that a file of ``holder`` can do without, of a module that ``owner`` has."""

    file: str
    statement: ImportStatement
    owner: Distribution
    holder: Distribution

    def is_base(self, subclassed: set[tuple[str, str]]) -> bool:
        """Return True if one of (module, name) is a name that this file has from there."""
        module = self.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        return any((module, name) in subclassed for name in self.statement.names)


@final
@dataclass(slots=True, kw_only=True)
class ProviderWalk:
    """One walk over the modules of providers that a DAG reaches.

    Attributes:
        imports: What they import from elsewhere; files are relative to site-packages.
        distributions: The providers that were reached, and why.
        left_out: Optional distributions that they could use, and where.
        finds_hooks: True if one of the modules looks up the hook of a database by the type of a connection.
    """

    index: DistributionIndex
    folders: tuple[Path, ...]
    imports: list[ThirdPartyImport] = field(default_factory=list)
    distributions: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    finds_hooks: bool = False
    _seen: set[str] = field(default_factory=set)
    _pending: list[tuple[Path, str, Distribution]] = field(default_factory=list)
    _subclassed: set[tuple[str, str]] = field(default_factory=set)
    _extras: list[_Extra] = field(default_factory=list)

    def take(self, found: ThirdPartyImport, owner: Distribution) -> None:
        """Follow an import of something that is built on Airflow to its end."""
        self._enter(found.module, found.names, owner, f"imported at {found.place}")
        while self._pending:
            folder, file, holder = self._pending.pop()
            source = scan_file(folder / file)
            self.finds_hooks = self.finds_hooks or (source.finds_hooks and "sql" in file)
            for statement in source.imports:
                if not statement.optional:
                    based = source.subclassed & set(statement.names)
                    self._subclassed.update((_absolute(file, statement), name) for name in based)
                self._follow(file, statement, holder)
            if not self._pending:
                self._take_bases()

    def _take_bases(self) -> None:
        """Take extras after all that others make classes of: what stands in their place is a function, mostly."""
        for extra in [each for each in self._extras if each.is_base(self._subclassed)]:
            self._extras.remove(extra)
            self.left_out.pop(extra.owner.name, None)
            self._take(extra.file, extra.statement, extra.owner, extra.holder)

    def _enter(self, module: str, names: tuple[str, ...], owner: Distribution, reason: str) -> None:
        self.distributions.setdefault(owner.name, reason)
        for folder in self.folders:
            found = find_module(str(folder), "", module)
            if not found.complete:
                continue
            files = list(found.files)
            for name in names if found.folder is not None else ():
                child = find_module(str(folder), found.folder or "", name)
                files.extend(child.files if child.complete else ())
            for file in files:
                if file not in self._seen and file.endswith(".py"):
                    self._seen.add(file)
                    self._pending.append((folder, file, owner))
            return

    def _follow(self, file: str, statement: ImportStatement, holder: Distribution) -> None:
        module = _absolute(file, statement)
        top = module.partition(".")[0]
        if top in sys.stdlib_module_names or top == "__main__" or _is_served(module):
            return
        module = provider_of(module) or module
        for owner in self.index.owners(module, statement.names):
            if is_core(owner.name):
                continue
            if self._is_extra(owner, statement, holder):
                self.left_out.setdefault(owner.name, f"{file}:{statement.line}")
                self._extras.append(_Extra(file=file, statement=statement, owner=owner, holder=holder))
            else:
                self._take(file, statement, owner, holder)

    def _take(self, file: str, statement: ImportStatement, owner: Distribution, holder: Distribution) -> None:
        module = _absolute(file, statement)
        module = provider_of(module) or module
        if owner == holder or is_built_on_airflow(owner):
            self._enter(module, statement.names, owner, f"needed by {holder.name}")
        else:
            self.imports.append(
                ThirdPartyImport(
                    module=module,
                    names=statement.names,
                    file=file,
                    line=statement.line,
                    optional=statement.optional,
                    deferred=statement.deferred,
                )
            )

    def _is_extra(self, owner: Distribution, statement: ImportStatement, holder: Distribution) -> bool:
        """Return True for what the code does without, and neither its distribution nor Airflow brings along."""
        if owner == holder or not (statement.optional or statement.deferred):
            return False
        key = normalized(owner.name)
        return key not in required(holder) and key not in self._airflow_needs()

    def _airflow_needs(self) -> frozenset[str]:
        found = [self.index.get(name) for name in sorted(CORE)]
        return frozenset().union(*(required(each) for each in found if each))


def _is_served(module: str) -> bool:
    """Return True for what the facade has itself: all of Airflow but its providers."""
    if not f"{module}.".startswith("airflow."):
        return False
    return not is_provider_module(provider_of(module) or module)


def is_provider_module(module: str) -> bool:
    """Return True for a module below ``airflow.providers`` that comes from a provider's own distribution."""
    return module.startswith(NAMESPACE) and not f"{module}.".startswith(tuple(f"{each}." for each in SERVED))


def _absolute(file: str, statement: ImportStatement) -> str:
    """Return the module that a statement in a file names, with the leading dots resolved."""
    if not statement.level:
        return statement.module
    base = posixpath.dirname(file)
    for _ in range(statement.level - 1):
        base = posixpath.dirname(base)
    return ".".join(part for part in (*base.split("/"), statement.module) if part)


@lru_cache(maxsize=8192)
def scan_file(path: Path) -> ScannedSource:
    """Return the imports of an installed file; none if it is not Python that this Python can read."""
    try:
        return scan(path.read_bytes(), str(path))
    except (SyntaxError, ValueError, OSError):
        return ScannedSource(imports=())
