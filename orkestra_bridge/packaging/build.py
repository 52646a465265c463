"""One DAG's Lambda package: what is in it, and what there is to say about that.

It holds ``manifest.json``, ``orkestra_bridge/__init__.py``, ``orkestra_bridge/runtime/**`` and ``source/**``,
the part of the DAG folder that the DAG file needs.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from orkestra_bridge.ir.model import SourceSpan
from orkestra_bridge.ir.serialize import compact
from orkestra_bridge.packaging import rules
from orkestra_bridge.packaging.archive import shared_hash, tree_hash, zipped
from orkestra_bridge.packaging.closure import Closures
from orkestra_bridge.packaging.distributions import index_of
from orkestra_bridge.packaging.installer import locked, pins
from orkestra_bridge.packaging.model import Entry, LambdaPackage, PackageResult, Requirement
from orkestra_bridge.packaging.needs import find_needs
from orkestra_bridge.packaging.pinning import pinned
from orkestra_bridge.packaging.requirements import resolve_requirements
from orkestra_bridge.packaging.task_packages import (
    about_apart,
    only_of_tasks,
    packages_of_tasks,
    unread_requirements,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.frontend.model import DagFile, Environment
    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.options import Target
    from orkestra_bridge.packaging.model import TaskPackages, ThirdPartyImport
    from orkestra_bridge.packaging.requirements_file import RequirementsFile

    Unmet = tuple[ThirdPartyImport, Finding]

ZIPPED_LIMIT = 50 * 1024 * 1024
"""Bytes of a zip that Lambda takes directly (Lambda Developer Guide, quotas)."""

_SURELY_FITS = ZIPPED_LIMIT // 2
"""Bytes of the user's files that need no zip to know that they fit, whatever they compress to."""

MANIFEST_VERSION = 1


def build_package(
    workflow: Workflow,
    file: DagFile,
    environment: Environment,
    target: Target,
    listed: RequirementsFile | None = None,
    *,
    others: Mapping[str, Workflow] | None = None,
    of_tasks: Mapping[str, RequirementsFile] | None = None,
    closures: Closures | None = None,
) -> PackageResult:
    """Return the package of one DAG and the findings about what it needs.

    Versions that ``listed`` names win; ``others`` are the DAGs that it calls, ``of_tasks`` the requirements files that
    single tasks are given, ``closures`` those that are known.

    Raises OSError if a file of the DAG folder that was there a moment ago cannot be read.
    """
    closure = (closures or Closures()).of(file, workflow.files)
    span = SourceSpan(file.shown(workflow.span.file), workflow.span.line)
    resolve = partial(
        resolve_requirements,
        workflow=workflow,
        environment=environment,
        target=target,
        span=span,
        finds_hooks=closure.finds_hooks,
    )
    index = index_of(environment.site_packages)
    apart = only_of_tasks(workflow, of_tasks or {}, closure.imports, index)
    requirements, missing = resolve(each for each in closure.imports if each not in apart)
    from orkestra_bridge.packaging.forecast import size_findings  # it imports this module

    if listed is not None:
        requirements, differences = pinned(requirements, listed, span, workflow.dag_id)
        missing = (*missing, *differences)
    missing = (*missing, *size_findings(requirements, environment.site_packages, span, workflow.dag_id))
    own: tuple[TaskPackages, ...] = ()
    unmet: tuple[Unmet, ...] = ()
    if of_tasks:
        own = packages_of_tasks(
            workflow, of_tasks, requirements, index, lambda named: resolve(closure.imports, named=named)[0]
        )
        unmet, missing = _unmet(closure.imports, missing)
        missing = (*missing, *unread_requirements(workflow, of_tasks), *about_apart(workflow, apart))
    sources = [_source(file.base, path) for path in closure.files]
    document = _manifest(workflow, file, requirements, others or {}, own)
    if index.get("virtualenv"):
        document["virtualenv"] = True
    entries = (Entry("manifest.json", compact(document)), *sources)
    package = LambdaPackage(
        dag_id=workflow.dag_id,
        entries=entries,
        tree_hash=tree_hash((*entries, _shared_part())),
        load_hash=_load_hash(workflow, file, requirements, sources, virtualenv="virtualenv" in document),
        requirements=requirements,
        sources=closure.files,
        of_tasks=own,
    )
    local = (replace(finding, dag_id=workflow.dag_id) for finding in closure.findings)
    return PackageResult(
        package=package,
        findings=(*local, *missing, *_too_large(package, span)),
        needs=find_needs(workflow, file, closure, environment),
        unmet=unmet,
    )


def _unmet(
    imports: Iterable[ThirdPartyImport], findings: tuple[Finding, ...]
) -> tuple[tuple[Unmet, ...], tuple[Finding, ...]]:
    """Return the imports inside functions of what is not installed, with what is said of them; and all other findings."""
    deferred = {(each.file, each.line, each.module): each for each in imports if each.deferred}
    unmet = []
    rest = []
    for finding in findings:
        module = finding.message.removeprefix("import of ").partition(":")[0]
        found = deferred.get((finding.file, finding.line, module))
        if found is not None and finding.id == rules.MISSING_REQUIREMENT.id:
            unmet.append((found, finding))
        else:
            rest.append(finding)
    return tuple(unmet), tuple(rest)


def _load_hash(
    workflow: Workflow,
    file: DagFile,
    requirements: tuple[Requirement, ...],
    sources: list[Entry],
    *,
    virtualenv: bool,
) -> str:
    places = [file.home, *map(str, file.search), str(file.working_directory)]
    facts = [
        file.relative,
        places,
        workflow.airflow_version,
        [(each.name, each.version) for each in requirements],
        virtualenv,
    ]
    return tree_hash((*sources, _shared_part(), Entry("facts", json.dumps(facts).encode())))


def _shared_part() -> Entry:
    """Return what stands for the runtime in a hash: looking at its files again for each DAG would take longer."""
    return Entry("orkestra_bridge", shared_hash().encode())


def _manifest(
    workflow: Workflow,
    file: DagFile,
    requirements: tuple[Requirement, ...],
    others: Mapping[str, Workflow],
    of_tasks: tuple[TaskPackages, ...],
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "version": MANIFEST_VERSION,
        "workflow": workflow,
        "source": _folder(file.home),
        "path": [_folder(file.in_base(folder)) for folder in file.search],
        "working_directory": _folder(file.in_base(file.working_directory))
        if file.working_directory
        else None,
        "dag_file": file.relative,
        "requirements": [_listed(each) for each in requirements],
    }
    if of_tasks:
        document["of_tasks"] = {str(each.given.number): _of_tasks(each) for each in of_tasks}
    if others:
        document["others"] = {dag_id: _other(other) for dag_id, other in others.items()}
    return document


def _listed(requirement: Requirement) -> dict[str, Any]:
    return {
        "name": requirement.name,
        "version": requirement.version,
        "modules": list(requirement.modules),
        "provided": requirement.provided,
    }


def _of_tasks(packages: TaskPackages) -> dict[str, Any]:
    """Return the packages of some tasks: what is installed here, and what uv adds to that, within which bounds."""
    added = packages.added
    rest = [each for each in packages.requirements if not each.line]
    return {
        "requirements": [_listed(each) for each in rest],
        "added": list(locked(added)),
        "constraints": [*pins(rest), *packages.constraints] if added else [],
    }


def _other(workflow: Workflow) -> dict[str, Any]:
    """Return what the tasks of a DAG need to know of another one: when it runs, and which tasks its groups have."""
    groups = {task.task_id: task.group for task in workflow.tasks if task.group}
    return {"schedule": workflow.schedule, "groups": groups}


def _folder(relative: str) -> str:
    """Return where a folder below the base is in the package."""
    return f"source/{relative}" if relative else "source"


def _source(root: Path, relative: str) -> Entry:
    path = root / relative
    return Entry(f"source/{relative}", path.read_bytes(), executable=bool(path.stat().st_mode & 0o100))


def _too_large(package: LambdaPackage, span: SourceSpan) -> tuple[Finding, ...]:
    if sum(len(entry.data) for entry in package.entries) <= _SURELY_FITS:
        return ()
    size = len(zipped(package))
    if size <= ZIPPED_LIMIT:
        return ()
    megabytes = size / 1024 / 1024
    return (
        rules.PACKAGE_TOO_LARGE.at(
            span,
            f"its package has {megabytes:.0f} MB zipped, Lambda takes {ZIPPED_LIMIT // 1024 // 1024}",
            "keep data files in S3 instead of the DAG folder",
            dag_id=package.dag_id,
        ),
    )
