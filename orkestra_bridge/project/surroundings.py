"""A project's surroundings, ready for a process: values for its environment, folders for its module path."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, final

from orkestra_bridge.errors import UsageError
from orkestra_bridge.project.env_files import read_env_files
from orkestra_bridge.project.export_files import read_connections, read_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.options import Project

VARIABLE_PREFIX = "AIRFLOW_VAR_"
CONNECTION_PREFIX = "AIRFLOW_CONN_"
_PLUGINS = "AIRFLOW__CORE__PLUGINS_FOLDER"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What DAG files find around them when they are loaded.

    Attributes:
        values: Environment variables on top of the caller's own, which do not count against them.
        search: Absolute folders that modules are searched in, after the DAG folder.
        working_directory: Absolute; None leaves the process where it is.
        assume_missing: True if DAG files are to be loaded with made-up values for what they lack.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    search: tuple[Path, ...] = ()
    working_directory: Path | None = None
    assume_missing: bool = False

    def environment(self) -> dict[str, str]:
        """Return the caller's environment with the project's values; these win."""
        return {**os.environ, **self.values}


def surroundings_of(project: Project) -> Surroundings:
    """Return the values and folders that a project's options name.

    Variables and connections become ``AIRFLOW_VAR_*`` and ``AIRFLOW_CONN_*``, the first place where Airflow looks. Where
    several files have a name, exports win over env files. Raises UsageError for files and folders that cannot be used.
    """
    values = read_env_files(project.env_files)
    for path, read, prefix in (
        (project.variables, read_variables, VARIABLE_PREFIX),
        (project.connections, read_connections, CONNECTION_PREFIX),
    ):
        if path is not None:
            values.update({f"{prefix}{entry.name.upper()}": entry.value for entry in read(path)})
    search = [_folder(path, "--pythonpath") for path in project.pythonpath]
    if project.plugins_folder is not None:
        plugins = _folder(project.plugins_folder, "--plugins-folder")
        values[_PLUGINS] = str(plugins)
        search.append(plugins)
    home = project.working_directory
    return Surroundings(
        values=values,
        search=tuple(dict.fromkeys(search)),
        working_directory=_folder(home, "--working-directory") if home else None,
        assume_missing=project.assume_missing,
    )


def _folder(path: Path, option: str) -> Path:
    if not path.is_dir():
        raise UsageError(f"{option}: {path} is not a folder", remedy="name a folder that exists")
    # Not resolved: modules are shown by the path that the user gave.
    return Path(os.path.abspath(path))  # noqa: PTH100
