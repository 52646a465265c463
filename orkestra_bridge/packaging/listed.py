"""The requirements files of a conversion: the project's, and those that the configuration names for some DAGs."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, final

from orkestra_bridge.options import for_dag

if TYPE_CHECKING:
    from pathlib import Path

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Workflow
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

    def of_tasks(self, workflow: Workflow) -> dict[str, RequirementsFile]:
        """Return the files that say what single tasks have, by the names that the configuration has for them."""
        given = {task.packages.file for task in workflow.tasks if task.packages}
        named = {each.value.as_posix(): each.value for each in self._options.overrides.requirements}
        return {file: self._files[named[file]] for file in sorted(given)}

    def facts(self, dag_id: str) -> str:
        """Return a text that is the same as long as what the files say about a DAG and its tasks is."""
        of_tasks = [
            (each.task, self._files[each.value])
            for each in self._options.overrides.requirements
            if each.of_tasks and fnmatchcase(dag_id, each.dag)
        ]
        return repr((self.of_dag(dag_id), of_tasks) if of_tasks else self.of_dag(dag_id))

    def unread(self) -> tuple[Finding, ...]:
        """Return what the files say that cannot be read from here."""
        if not self._files:
            return ()
        from orkestra_bridge.packaging.requirements_file import unread_findings

        of_tasks = {each.value for each in self._options.overrides.requirements if each.of_tasks}
        return tuple(
            finding
            for path, listed in self._files.items()
            if path not in of_tasks  # of those the DAGs say more
            for finding in unread_findings(listed)
        )


def _read(options: ConvertOptions, paths: set[Path]) -> dict[Path, RequirementsFile]:
    if not paths:
        return {}  # what reads them takes longer to import than most folders take to convert again
    from orkestra_bridge.packaging.requirements import marker_environment
    from orkestra_bridge.packaging.requirements_file import read_requirements

    environment = marker_environment(options.target)
    return {path: read_requirements(path, environment) for path in sorted(paths)}
