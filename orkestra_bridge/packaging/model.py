"""What packaging takes and gives, as frozen values. Paths in the DAG folder are POSIX and relative to it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from orkestra_bridge.ir.model import Needs

if TYPE_CHECKING:
    from pathlib import Path

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.places import Packages
    from orkestra_bridge.packaging.static_lookups import StaticLookup


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ThirdPartyImport:
    """An import of something that is neither in the DAG folder nor in the standard library.

    Attributes:
        module: Dotted name as written, such as ``google.cloud`` or ``pandas``.
        names: What is taken from it; each may be a submodule (``from google.cloud import storage``).
        file: The file it stands in, as the user would type it.
        optional: True if the code goes on without it (``try ... except ImportError``, or behind an ``if``).
        deferred: True if it stands in a function, so that loading the file does not run it.
        inside: The functions around all imports of it, sorted: ``module.function``, or ``module.`` where there is none.
        lacking: Where the DAG folder has the first part of the name but not all of it, the part that is missing.
    """

    module: str
    names: tuple[str, ...]
    file: str
    line: int
    optional: bool = False
    deferred: bool = False
    inside: tuple[str, ...] = ()
    lacking: str = ""

    @property
    def place(self) -> str:
        """Return ``file:line``."""
        return f"{self.file}:{self.line}"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """The local files that a DAG file needs, itself included, what they import from elsewhere and what they look up.

    ``finds_hooks`` is True if one of them looks hooks up by the type of a connection.
    """

    files: tuple[str, ...]
    imports: tuple[ThirdPartyImport, ...]
    findings: tuple[Finding, ...] = ()
    finds_hooks: bool = False
    lookups: tuple[tuple[str, tuple[StaticLookup, ...]], ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A distribution that the package needs beside its own files.

    Attributes:
        version: The version of the environment that parsed the DAG; empty if it is not installed there.
        modules: Import names it brings: top-level, or dotted below a namespace package; sorted.
        provided: True if no layer brings it: the Lambda runtime already has it.
        elsewhere: True if no layer brings it since the target's Python does without it; the Python that loads packages
            here does not.
        reason: Why it is needed: ``imported at etl.py:3``, ``needed by pandas`` or ``needed by the runtime``.
        pure: True if no part of it is compiled, so that its source can be installed where there is no wheel.
        hashes: Those of its files that may be installed, such as ``sha256:1f...``; none if any may.
        line: The line of a requirements file that names it, where what is installed here does not count: uv finds its
            version then, and what it needs.
    """

    name: str
    version: str
    modules: tuple[str, ...]
    provided: bool
    reason: str
    pure: bool = False
    elsewhere: bool = False
    hashes: tuple[str, ...] = ()
    line: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPackages:
    """What functions and images have that are for tasks with requirements of their own.

    Attributes:
        given: What the configuration says.
        task_ids: The tasks, in order.
        requirements: All that they need: what the DAG needs, and what the file names.
        constraints: Lines of a constraints file for what uv finds.
    """

    given: Packages
    task_ids: tuple[str, ...]
    requirements: tuple[Requirement, ...]
    constraints: tuple[str, ...] = ()

    @property
    def added(self) -> tuple[Requirement, ...]:
        """Return those whose versions uv finds, since what is installed here does not count."""
        return tuple(each for each in self.requirements if each.line)

    @property
    def text(self) -> str:
        """Return for whom they are, as the beginning of a message."""
        return f"packages of {', '.join(self.task_ids)} ({self.given.file})"


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

    @property
    def digest(self) -> str:
        """Return SHA-256 over mode and content."""
        digest = hashlib.sha256(b"%o\0" % self.mode)
        digest.update(self.data)
        return digest.hexdigest()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaPackage:
    """The code of one DAG's function; `archive.zipped` makes a zip file of it.

    Attributes:
        entries: The files that are in no other DAG's package: the manifest and the user's own.
        tree_hash: SHA-256 over path, mode and content of all files: the same on machines whose zlib differs.
        load_hash: SHA-256 over all that decides how the DAG file loads: the same for all DAGs of one file.
        sources: The user's files in it, relative to the DAG folder, sorted.
        of_tasks: Further packages that some tasks have beside it, sorted by number.
    """

    dag_id: str
    entries: tuple[Entry, ...]
    tree_hash: str
    load_hash: str
    requirements: tuple[Requirement, ...]
    sources: tuple[str, ...]
    of_tasks: tuple[TaskPackages, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PackageResult:
    """A package, what there is to say about it, and what the DAG needs of its surroundings.

    ``unmet`` are imports inside functions of what is not installed, with what there is to say if no requirements of a
    task bring it.
    """

    package: LambdaPackage
    findings: tuple[Finding, ...] = ()
    needs: Needs = field(default_factory=Needs)
    unmet: tuple[tuple[ThirdPartyImport, Finding], ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """The third-party modules of one or more DAGs, as a Lambda layer.

    Attributes:
        key_hash: SHA-256 over the pinned requirements and the target: equal hash, equal content.
        path: The zip file, in the cache.
        size: Bytes unzipped, which Lambda limits.
    """

    key_hash: str
    name: str
    path: Path
    size: int
    requirements: tuple[Requirement, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LayerResult:
    """A layer, or None where there is nothing to put into it or it could not be built."""

    layer: Layer | None
    findings: tuple[Finding, ...] = ()
