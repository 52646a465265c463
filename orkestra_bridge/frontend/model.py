"""What goes into and comes out of the frontend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from pathlib import Path

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
    """

    root: Path
    relative: str
    display: str

    @property
    def path(self) -> Path:
        """Return the absolute path of the file."""
        return self.root / self.relative

    def shown(self, relative: str) -> str:
        """Return another path below the root as the user would type it."""
        prefix = self.display.removesuffix(self.relative)
        return prefix + relative


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


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedFile:
    """What one DAG file holds; ``cached`` is True if it did not have to be loaded."""

    file: DagFile
    workflows: tuple[Workflow, ...]
    findings: tuple[Finding, ...]
    cached: bool
