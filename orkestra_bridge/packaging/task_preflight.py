"""Proves that a DAG loads with the packages that some of its tasks have: as the preflight does for the DAG's own."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, final

from orkestra_bridge.ir.model import SourceSpan
from orkestra_bridge.packaging import rules
from orkestra_bridge.packaging.installer import InstallError, locked, pins
from orkestra_bridge.packaging.preflight import Preflight
from orkestra_bridge.packaging.task_folder import in_folder, make_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.frontend.model import DagFile, Environment
    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.packaging.model import LambdaPackage, TaskPackages

FOLDER = "packages"
"""Below the cache."""


@final
class TaskPreflight:
    """Loads packages with what tasks have besides; a context manager that ends its processes.

    Args:
        environment: The Python that parsed the DAGs.
        usual: The preflight of the DAGs' own packages, for those that need nothing that is not installed.
        cache: Where folders with packages and answers are kept; without it nothing is installed.
        values: Environment variables that the function will have.
        skip: True to install nothing.
    """

    def __init__(
        self,
        environment: Environment,
        usual: Preflight,
        cache: Path | None,
        *,
        values: Mapping[str, str] | None = None,
        skip: bool = False,
    ) -> None:
        self._environment = environment
        self._usual = usual
        self._cache = cache
        self._values = values
        self._skip = skip or cache is None
        self._folders: dict[tuple[str, ...], Path | InstallError] = {}
        self._processes: dict[Path, Preflight] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def modules(self, packages: TaskPackages) -> frozenset[str]:
        """Return the top-level modules that uv adds for some tasks; none if it could not, or was not to."""
        folder = self._folder(packages)
        if folder is None or isinstance(folder, InstallError):
            return frozenset()
        return frozenset(name.partition(".")[0] for each in in_folder(folder) for name in each.modules)

    def submit(
        self, workflow: Workflow, file: DagFile, package: LambdaPackage, packages: TaskPackages
    ) -> Future[tuple[Finding, ...]]:
        """Return what loading the DAG's package with these packages shows, as a future."""
        folder = self._folder(packages) if packages.added else None
        if packages.added and (folder is None or isinstance(folder, InstallError)):
            done: Future[tuple[Finding, ...]] = Future()
            done.set_result((_unchecked(workflow, file, packages, folder),))
            return done
        there = in_folder(folder) if folder is not None and not isinstance(folder, InstallError) else ()
        variant = replace(
            package,
            requirements=(*there, *(each for each in packages.requirements if not each.line)),
            load_hash=_hash(package, packages),
        )
        return self._process(folder).submit(workflow, file, variant)

    def _process(self, folder: Path | InstallError | None) -> Preflight:
        if folder is None or isinstance(folder, InstallError):
            return self._usual
        if folder not in self._processes:
            environment = replace(self._environment, site_packages=(folder, *self._environment.site_packages))
            made = Preflight(environment, self._cache, values=self._values)
            self._processes[folder] = self._stack.enter_context(made)
        return self._processes[folder]

    def _folder(self, packages: TaskPackages) -> Path | InstallError | None:
        """Return the folder with what uv adds, or why there is none; None if nothing is to be installed."""
        if not packages.added or self._skip or self._cache is None:
            return None
        rest = pins(each for each in packages.requirements if not each.line)
        key = (*locked(packages.added), "", *rest, *packages.constraints)
        if key not in self._folders:
            try:
                self._folders[key] = make_folder(
                    locked(packages.added),
                    (*rest, *packages.constraints),
                    self._environment.python,
                    self._cache / FOLDER,
                )
            except InstallError as failure:
                self._folders[key] = failure
        return self._folders[key]


def _hash(package: LambdaPackage, packages: TaskPackages) -> str:
    facts = [package.load_hash, *locked(packages.requirements), *packages.constraints]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def _unchecked(
    workflow: Workflow, file: DagFile, packages: TaskPackages, failure: Path | InstallError | None
) -> Finding:
    why = failure.reason if isinstance(failure, InstallError) else "nothing is to be installed here"
    return rules.NOT_CHECKED.at(
        SourceSpan(file.shown(workflow.span.file), workflow.span.line),
        f"whether the DAG loads with the {packages.text} was not checked: {why}",
        "convert again where uv can install them",
        dag_id=workflow.dag_id,
    )
