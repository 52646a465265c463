"""Options about a project's surroundings, the same for every command that loads DAG files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from orkestra_bridge.options import Project

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Command = TypeVar("Command", bound="Callable[..., Any]")

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_OPTIONS = (
    click.option(
        "--pythonpath",
        multiple=True,
        type=_FOLDER,
        help="A folder that modules are imported from, besides the DAG folder; may be given several times.",
    ),
    click.option("--plugins-folder", type=_FOLDER, help="Airflow's plugins folder."),
    click.option(
        "--working-directory",
        type=_FOLDER,
        help="Where DAG files expect the process to be when they read files.",
    ),
    click.option(
        "--env-file",
        "env_files",
        multiple=True,
        type=_FILE,
        help="Environment variables as NAME=VALUE lines; may be given several times.",
    ),
    click.option("--variables", type=_FILE, help="Variables, as `airflow variables export` writes them."),
    click.option(
        "--connections", type=_FILE, help="Connections, as `airflow connections export` writes them."
    ),
    click.option(
        "--requirements",
        type=_FILE,
        help="The project's requirements.txt: what --airflow-version installs, and the versions that are packaged.",
    ),
    click.option(
        "--assume-missing",
        is_flag=True,
        help="Load DAG files with made-up values for what they lack, to see their graphs; such DAGs are refused.",
    ),
)


def project_options(command: Command) -> Command:
    """Give a command the options about a project; `project_from` makes a `Project` of their values."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def project_from(values: Mapping[str, Any]) -> Project:
    """Return the project that the options name; ``values`` are the command's arguments by name."""
    return Project(
        pythonpath=tuple(values["pythonpath"]),
        plugins_folder=values["plugins_folder"],
        working_directory=values["working_directory"],
        env_files=tuple(values["env_files"]),
        variables=values["variables"],
        connections=values["connections"],
        requirements=values["requirements"],
        assume_missing=values["assume_missing"],
    )
