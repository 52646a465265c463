"""Options that several commands have, each written once: what to load and with what, and how it is translated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, final

import click

from orkestra_bridge.cli.configured import ConfiguredPaths
from orkestra_bridge.options import AirflowSource, Project, Target, default_cache

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Command = TypeVar("Command", bound="Callable[..., Any]")

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_PROJECT = (
    click.option(
        "--pythonpath",
        multiple=True,
        type=_FOLDER,
        help="A folder that modules are imported from, besides the DAG folder. May be repeated.",
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
        help="Environment variables as NAME=VALUE lines. May be repeated.",
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


_AIRFLOW = (
    click.option(
        "--airflow-python", type=click.Path(path_type=Path), help="A Python that has Airflow, to parse with."
    ),
    click.option(
        "--airflow-version", metavar="X.Y.Z", help="Parse with this Airflow, in an environment made for it."
    ),
)
_CACHE_DIR = click.option(
    "--cache-dir",
    type=click.Path(path_type=Path),
    help="Where the cache is; default the user's cache folder.",
)
_LOADING = (
    *_AIRFLOW,
    *_PROJECT,
    click.option(
        "--parse-timeout",
        type=click.FloatRange(min=0.1),
        default=30.0,
        show_default=True,
        help="Seconds for one DAG file.",
    ),
    _CACHE_DIR,
    click.option("--no-cache", is_flag=True, help="Neither use nor fill the cache."),
)
_SHAPE = (
    click.option(
        "--joins",
        type=click.Choice(["token", "barrier"]),
        default="token",
        show_default=True,
        help="What enforces an edge that does not nest: a join through a DynamoDB table, or a longer wait.",
    ),
    click.option(
        "--container",
        "containers",
        multiple=True,
        metavar="TASK",
        help="Run this task on Fargate, unless it is a sensor: a pattern for TASK_ID or DAG_ID.TASK_ID. May be repeated.",
    ),
    click.option(
        "--real-airflow",
        "airflows",
        multiple=True,
        metavar="TASK",
        help="Let Airflow itself run this task, on Fargate: a pattern for TASK_ID or DAG_ID.TASK_ID. May be repeated.",
    ),
)
_FUNCTION = (
    click.option(
        "--architecture",
        type=click.Choice(["arm64", "x86_64"]),
        default="arm64",
        show_default=True,
        help="Processor of the Lambda functions.",
    ),
    click.option(
        "--memory", type=click.IntRange(128, 10_240), default=512, show_default=True, help="MB per function."
    ),
    click.option(
        "--python-version",
        type=click.Choice(["3.10", "3.11", "3.12", "3.13", "3.14"]),
        default="3.13",
        show_default=True,
        help="Python of the Lambda functions.",
    ),
)
_VERDICT = (
    click.option(
        "--allow",
        multiple=True,
        metavar="ID",
        help="Translate in spite of this finding, such as OB206. May be repeated.",
    ),
    click.option(
        "--error-level",
        type=click.Choice(["warning", "error", "never"]),
        default="error",
        show_default=True,
        help="The least severe finding that makes the exit code 1.",
    ),
)


def paths_argument(command: Command) -> Command:
    """Give a command the DAG files and folders to load, which the configuration may name as well."""
    argument = click.argument("paths", nargs=-1, type=click.Path(path_type=Path), cls=ConfiguredPaths)
    return argument(command)


def loading_options(command: Command) -> Command:
    """Give a command the options about loading DAG files; `loading_from` makes a `Loading` of their values."""
    return _given(command, _LOADING)


def shape_options(command: Command) -> Command:
    """Give a command the options that decide the shape of state machines: ``joins``, ``containers`` and ``airflows``."""
    return _given(command, _SHAPE)


def function_options(command: Command) -> Command:
    """Give a command the options about Lambda functions; `target_from` makes a `Target` of their values."""
    return _given(command, _FUNCTION)


def verdict_options(command: Command) -> Command:
    """Give a command the options that decide its exit code: ``allow`` and ``error_level``."""
    return _given(command, _VERDICT)


def cache_option(command: Command) -> Command:
    """Give a command ``--cache-dir`` alone."""
    return _given(command, (_CACHE_DIR,))


def _given(command: Command, options: Sequence[Callable[[Command], Command]]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """What `loading_options` say; the fields are those of `ConvertOptions`."""

    airflow: AirflowSource
    project: Project
    parse_timeout: float
    cache: Path | None


def loading_from(values: Mapping[str, Any]) -> Loading:
    """Return what the options say; ``values`` are the command's arguments by name.

    Raises:
        click.UsageError: Two options exclude each other.
    """
    if values["airflow_python"] and values["airflow_version"]:
        raise click.UsageError("--airflow-python and --airflow-version exclude each other")
    project = _project_from(values)
    return Loading(
        airflow=AirflowSource(
            python=values["airflow_python"],
            version=values["airflow_version"],
            requirements=project.requirements,
        ),
        project=project,
        parse_timeout=values["parse_timeout"],
        cache=None if values["no_cache"] else values["cache_dir"] or default_cache(),
    )


def target_from(values: Mapping[str, Any]) -> Target:
    """Return what the functions are built for; ``values`` are the command's arguments by name."""
    return Target(
        python=values["python_version"], architecture=values["architecture"], memory=values["memory"]
    )


def _project_from(values: Mapping[str, Any]) -> Project:
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
