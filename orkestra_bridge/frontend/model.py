"""What goes into and comes out of the frontend."""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, final

if TYPE_CHECKING:
    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Workflow


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DagFile:
    """A Python file that may hold DAGs.

    Attributes:
        root: Absolute folder that Airflow would have as its DAG folder; imports of local modules start here.
        relative: POSIX path below ``root``.
        display: Path as the user would type it.
        search: Absolute folders in which imports are searched after ``root``.
        working_directory: Where the process is while the file is loaded; None if that is left open.
    """

    root: Path
    relative: str
    display: str
    search: tuple[Path, ...] = ()
    working_directory: Path | None = None

    @property
    def path(self) -> Path:
        """Return the absolute path of the file."""
        return self.root / self.relative

    def shown(self, relative: str) -> str:
        """Return another path, relative to the root, as the user would type it."""
        prefix = self.display.removesuffix(self.relative)
        return posixpath.normpath(prefix + relative) if relative.startswith("../") else prefix + relative

    @property
    def base(self) -> Path:
        """Return the folder that the root and all other folders have in common: what a package is a copy of."""
        folders = [self.root, *self.search, *([self.working_directory] if self.working_directory else [])]
        return Path(os.path.commonpath(folders)) if len(folders) > 1 else self.root

    @property
    def home(self) -> str:
        """Return the root relative to `base`, an empty string if it is the same folder."""
        return self.in_base(self.root)

    def in_base(self, folder: Path) -> str:
        """Return a folder below `base` relative to it, an empty string for `base` itself."""
        relative = folder.relative_to(self.base).as_posix()
        return "" if relative == "." else relative

    def from_base(self, relative: str) -> str:
        """Return a path relative to `base` as one relative to the root."""
        return posixpath.relpath(relative, self.home) if self.home else relative


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """The files to load, sorted by what the user typed, and what was found on the way."""

    files: tuple[DagFile, ...]
    findings: tuple[Finding, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A Python with Airflow.

    Attributes:
        python: Absolute path of the interpreter, symbolic links kept (they tell a virtual environment).
        python_version: Such as ``3.11.7``.
        airflow_version: Such as ``3.0.2``.
        site_packages: Absolute folders in which its distributions are installed.
    """

    python: Path
    python_version: str
    airflow_version: str
    site_packages: tuple[Path, ...]

    @property
    def airflow_major(self) -> int:
        """Return 2 or 3."""
        return int(self.airflow_version.split(".", 1)[0])


LackKind = Literal["variable", "connection", "environ", "module"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """Something that a DAG file cannot be loaded without; ``place`` is ``file:line`` as the user would type it."""

    kind: LackKind
    name: str
    place: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Something that is lacking, with all the places that need it."""

    kind: str
    name: str
    places: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedFile:
    """What one DAG file holds and lacks; ``cached`` is True if it did not have to be loaded."""

    file: DagFile
    workflows: tuple[Workflow, ...]
    findings: tuple[Finding, ...]
    cached: bool
    lacking: tuple[Lack, ...] = ()
