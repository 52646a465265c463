"""One DAG's Lambda package: a zip with the same bytes for the same input, whoever builds it and when.

It holds ``manifest.json``, ``orkestra_bridge/__init__.py``, ``orkestra_bridge/runtime/**`` and ``source/**``,
the part of the DAG folder that the DAG file needs. The runtime is the same for every DAG, so it is compressed
once per process and every package starts as a copy of it.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from orkestra_bridge.ir.model import SourceSpan
from orkestra_bridge.ir.serialize import compact
from orkestra_bridge.packaging import rules
from orkestra_bridge.packaging.closure import local_closure
from orkestra_bridge.packaging.model import LambdaPackage, PackageResult, Requirement
from orkestra_bridge.packaging.needs import find_needs
from orkestra_bridge.packaging.pinning import pinned
from orkestra_bridge.packaging.requirements import resolve_requirements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.frontend.model import DagFile, Environment
    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.options import Target
    from orkestra_bridge.packaging.requirements_file import RequirementsFile

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip file can express."""

LEVEL = 6
"""zlib's level: 9 costs two to four times as much for 2 % less."""

ZIPPED_LIMIT = 50 * 1024 * 1024
"""Bytes of a zip that Lambda takes directly (Lambda Developer Guide, quotas)."""

MANIFEST_VERSION = 1


@final
@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a package: its path in the zip, content and whether it may be executed."""

    path: str
    data: bytes
    executable: bool = False

    @property
    def mode(self) -> int:
        """Return the file mode, reduced to what matters."""
        return 0o755 if self.executable else 0o644


def build_package(
    workflow: Workflow,
    file: DagFile,
    environment: Environment,
    target: Target,
    listed: RequirementsFile | None = None,
    *,
    others: Mapping[str, Workflow] | None = None,
) -> PackageResult:
    """Return the package of one DAG and the findings about what it needs.

    Versions that ``listed`` names win; ``others`` are the DAGs that it calls.

    Raises OSError if a file of the DAG folder that was there a moment ago cannot be read.
    """
    closure = local_closure(file, workflow.files)
    span = SourceSpan(file.shown(workflow.span.file), workflow.span.line)
    requirements, missing = resolve_requirements(
        closure.imports, workflow, environment, target, span=span, finds_hooks=closure.finds_hooks
    )
    from orkestra_bridge.packaging.forecast import size_findings  # it imports this module

    if listed is not None:
        requirements, differences = pinned(requirements, listed, span, workflow.dag_id)
        missing = (*missing, *differences)
    missing = (*missing, *size_findings(requirements, environment.site_packages, span, workflow.dag_id))
    sources = [_source(file.base, path) for path in closure.files]
    entries = [_manifest(workflow, file, requirements, others or {}), *sources]
    package = LambdaPackage(
        dag_id=workflow.dag_id,
        data=_zip(entries),
        tree_hash=tree_hash((*_base().entries, *entries)),
        load_hash=_load_hash(workflow, file, requirements, sources),
        requirements=requirements,
        sources=closure.files,
    )
    local = (replace(finding, dag_id=workflow.dag_id) for finding in closure.findings)
    return PackageResult(
        package=package,
        findings=(*local, *missing, *_too_large(package, span)),
        needs=find_needs(workflow, file, closure, environment),
    )


def tree_hash(entries: Iterable[Entry]) -> str:
    """Return SHA-256 over path, mode and content of the files, whatever order they come in.

    Not over the zip: zlib builds differ between platforms, and equal content should have an equal key.
    """
    digest = hashlib.sha256()
    for line in sorted(_digest_line(entry) for entry in entries):
        digest.update(line)
    return digest.hexdigest()


def _load_hash(
    workflow: Workflow, file: DagFile, requirements: tuple[Requirement, ...], sources: list[Entry]
) -> str:
    places = [file.home, *map(str, file.search), str(file.working_directory)]
    facts = [
        file.relative,
        places,
        workflow.airflow_version,
        [(each.name, each.version) for each in requirements],
    ]
    return tree_hash((*_base().entries, *sources, Entry("facts", json.dumps(facts).encode())))


@lru_cache(maxsize=4096)
def _digest_line(entry: Entry) -> bytes:
    content = hashlib.sha256(entry.data).hexdigest()
    return f"{entry.path}\0{entry.mode:o}\0{content}\n".encode()


def _manifest(
    workflow: Workflow,
    file: DagFile,
    requirements: tuple[Requirement, ...],
    others: Mapping[str, Workflow],
) -> Entry:
    document: dict[str, Any] = {
        "version": MANIFEST_VERSION,
        "workflow": workflow,
        "source": _folder(file.home),
        "path": [_folder(file.in_base(folder)) for folder in file.search],
        "working_directory": _folder(file.in_base(file.working_directory))
        if file.working_directory
        else None,
        "dag_file": file.relative,
        "requirements": [
            {
                "name": requirement.name,
                "version": requirement.version,
                "modules": list(requirement.modules),
                "provided": requirement.provided,
            }
            for requirement in requirements
        ],
    }
    if others:
        document["others"] = {dag_id: _other(other) for dag_id, other in others.items()}
    return Entry("manifest.json", compact(document))


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


@final
@dataclass(frozen=True, slots=True)
class _Base:
    """The part of a package that every DAG has, ready to be copied."""

    entries: tuple[Entry, ...]
    data: bytes


@lru_cache(maxsize=1)
def _base() -> _Base:
    entries = tuple(sorted(_own_files(), key=lambda entry: entry.path))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for entry in entries:
            _write(archive, entry)
    return _Base(entries, buffer.getvalue())


def base_entries() -> tuple[Entry, ...]:
    """Return the files that every package has: the runtime with its facade."""
    return _base().entries


def _own_files() -> Iterator[Entry]:
    own = Path(__file__).parent.parent
    yield Entry("orkestra_bridge/__init__.py", (own / "__init__.py").read_bytes())
    for path in (own / "runtime").rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            yield Entry(f"orkestra_bridge/{path.relative_to(own).as_posix()}", path.read_bytes())


def _zip(entries: Iterable[Entry]) -> bytes:
    buffer = io.BytesIO()
    buffer.write(_base().data)
    with zipfile.ZipFile(buffer, "a") as archive:
        for entry in entries:
            _write(archive, entry)
    return buffer.getvalue()


def _write(archive: zipfile.ZipFile, entry: Entry) -> None:
    info = zipfile.ZipInfo(entry.path, EPOCH)
    info.create_system = 3  # Unix on every platform, else Lambda ignores the mode
    info.external_attr = (0o100000 | entry.mode) << 16
    archive.writestr(info, entry.data, zipfile.ZIP_DEFLATED, LEVEL)


def _too_large(package: LambdaPackage, span: SourceSpan) -> tuple[Finding, ...]:
    if len(package.data) <= ZIPPED_LIMIT:
        return ()
    megabytes = len(package.data) / 1024 / 1024
    return (
        rules.PACKAGE_TOO_LARGE.at(
            span,
            f"its package has {megabytes:.0f} MB zipped, Lambda takes {ZIPPED_LIMIT // 1024 // 1024}",
            "keep data files in S3 instead of the DAG folder",
            dag_id=package.dag_id,
        ),
    )
