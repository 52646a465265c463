"""What packaging takes and gives, as frozen values. Paths in the DAG folder are POSIX and relative to it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from orkestra_bridge.ir.model import Needs

if TYPE_CHECKING:
    from pathlib import Path

    from orkestra_bridge.diagnostics import Finding
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
        lacking: Where the DAG folder has the first part of the name but not all of it, the part that is missing.
    """

    module: str
    names: tuple[str, ...]
    file: str
    line: int
    optional: bool = False
    deferred: bool = False
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
    """

    name: str
    version: str
    modules: tuple[str, ...]
    provided: bool
    reason: str
    pure: bool = False
    elsewhere: bool = False
    hashes: tuple[str, ...] = ()


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
        return hashlib.sha256(b"%o\0" % self.mode + self.data).hexdigest()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaPackage:
    """The code of one DAG's function; `archive.zipped` makes a zip file of it.

    Attributes:
        entries: The files that are in no other DAG's package: the manifest and the user's own.
        tree_hash: SHA-256 over path, mode and content of all files: the same on machines whose zlib differs.
        load_hash: SHA-256 over all that decides how the DAG file loads: the same for all DAGs of one file.
        sources: The user's files in it, relative to the DAG folder, sorted.
    """

    dag_id: str
    entries: tuple[Entry, ...]
    tree_hash: str
    load_hash: str
    requirements: tuple[Requirement, ...]
    sources: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PackageResult:
    """A package, what there is to say about it, and what the DAG needs of its surroundings."""

    package: LambdaPackage
    findings: tuple[Finding, ...] = ()
    needs: Needs = field(default_factory=Needs)


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
