"""The requirements files of a conversion: the project's, and those that the configuration names for some DAGs."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from orkestra_bridge.options import for_dag

if TYPE_CHECKING:
    from pathlib import Path

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.options import ConvertOptions
    from orkestra_bridge.packaging.requirements_file import RequirementsFile


@final
class Listed:
    """Reads each of the files once; raises UsageError if one cannot be read."""

    def __init__(self, options: ConvertOptions) -> None:
        self._options = options
        named = (options.project.requirements, *(each.value for each in options.overrides.requirements))
        self._files = _read(options, {path for path in named if path})

    def of_dag(self, dag_id: str) -> RequirementsFile | None:
        """Return the file that says which versions a DAG's package has, None if none does."""
        path = for_dag(self._options.overrides.requirements, dag_id) or self._options.project.requirements
        return self._files[path] if path else None

    def unread(self) -> tuple[Finding, ...]:
        """Return what the files say that cannot be read from here."""
        if not self._files:
            return ()
        from orkestra_bridge.packaging.requirements_file import unread_findings

        return tuple(finding for listed in self._files.values() for finding in unread_findings(listed))


def _read(options: ConvertOptions, paths: set[Path]) -> dict[Path, RequirementsFile]:
    if not paths:
        return {}  # what reads them takes longer to import than most folders take to convert again
    from orkestra_bridge.packaging.requirements import marker_environment
    from orkestra_bridge.packaging.requirements_file import read_requirements

    environment = marker_environment(options.target)
    return {path: read_requirements(path, environment) for path in sorted(paths)}
