"""What the user asked for, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, final

from platformdirs import user_cache_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from orkestra_bridge.policy import Allowance

Architecture = Literal["arm64", "x86_64"]
LayerMode = Literal["auto", "skip"]
Joins = Literal["token", "barrier"]
Maps = Literal["auto", "distributed"]
RunsIn = Literal["lambda", "container", "airflow"]
"""``airflow``: in a container, and Airflow itself runs the task instead of the facade."""


Value = TypeVar("Value")


def default_cache() -> Path:
    """Return the folder for caches that can be deleted at any time."""
    return user_cache_path("orkestra-bridge", appauthor=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AirflowSource:
    """Which Airflow parses the DAG files: the installed one unless a Python or a version is named.

    Attributes:
        python: The interpreter of an existing environment with Airflow.
        version: An Airflow version to make an environment for, with ``requirements`` added.
    """

    python: Path | None = None
    version: str | None = None
    requirements: Path | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What a project's DAG files find around them, as the user named it.

    Attributes:
        pythonpath: Folders that modules are searched in, after the DAG folder, and packaged from.
        plugins_folder: Airflow's plugins folder; modules are searched there, too.
        working_directory: Where the process is while DAG files are loaded, and where tasks run.
        env_files: Files of ``NAME=VALUE`` lines; a later one wins.
        variables, connections: Files that `airflow variables export` and `airflow connections export` wrote.
        requirements: A requirements file whose versions and constraints the packages are built with.
        assume_missing: Load DAG files with made-up values for what they lack, to see their graphs; such a DAG is refused.
    """

    pythonpath: tuple[Path, ...] = ()
    plugins_folder: Path | None = None
    working_directory: Path | None = None
    env_files: tuple[Path, ...] = ()
    variables: Path | None = None
    connections: Path | None = None
    requirements: Path | None = None
    assume_missing: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the packages are built for."""

    python: str = "3.13"
    architecture: Architecture = "arm64"
    memory: int = 512
    log_retention_days: int = 30


@final
@dataclass(frozen=True, slots=True)
class Scoped(Generic[Value]):
    """A value for some DAGs, or for some of their tasks; patterns as in a shell."""

    value: Value
    dag: str = "*"
    task: str = "*"

    @property
    def of_tasks(self) -> bool:
        """Return True if it is for some tasks only."""
        return self.task != "*"


def for_dag(values: Iterable[Scoped[Value]], dag_id: str) -> Value | None:
    """Return the last value for a DAG as a whole, None if there is none."""
    fitting = [each.value for each in values if not each.of_tasks and fnmatchcase(dag_id, each.dag)]
    return fitting[-1] if fitting else None


def for_task(values: Iterable[Scoped[Value]], dag_id: str, task_id: str) -> Value | None:
    """Return the last value that is for a task and not for its whole DAG, None if there is none."""
    fitting = [
        each.value
        for each in values
        if each.of_tasks and fnmatchcase(dag_id, each.dag) and fnmatchcase(task_id, each.task)
    ]
    return fitting[-1] if fitting else None


@final
@dataclass(frozen=True, slots=True)
class Pattern:
    """For which DAGs and tasks something in the configuration is; ``file`` and ``line`` say where it stands."""

    dag: str
    task: str
    file: str
    line: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What some DAGs and tasks are given that others are not; of several values that fit, the last counts.

    Attributes:
        memory: MB of functions; of containers at least so many MiB.
        timeout: Seconds that a try of a task may take.
        requirements: A requirements file; for DAGs in place of `Project.requirements`, to take versions from; for tasks
            with packages that they have besides those of their DAG.
        events: Event patterns of EventBridge, each of which starts a run; for whole DAGs only.
        patterns: All patterns that are expected to fit some DAG or task.
    """

    memory: tuple[Scoped[int], ...] = ()
    timeout: tuple[Scoped[int], ...] = ()
    requirements: tuple[Scoped[Path], ...] = ()
    events: tuple[Scoped[tuple[dict[str, Any], ...]], ...] = ()
    patterns: tuple[Pattern, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertOptions:
    """Options of a conversion.

    Attributes:
        paths: Files and folders to search for DAGs.
        out: Where the output goes; it is replaced as a whole when it is complete.
        parse_timeout: Seconds that one DAG file may take to load.
        layers: ``auto`` builds the layer with third-party packages, ``skip`` only lists what it would hold.
        project: What the DAG files find around them.
        allow: Findings that must not refuse a DAG.
        overrides: What some DAGs and tasks are given that others are not.
        joins: What enforces an edge that does not nest: ``token`` a join at run time, through a table of DynamoDB;
            ``barrier`` adds waits, needs no table, and reports what waits for what.
        targets: Where tasks run whose own arguments do not decide it: a pattern as in shells, for ``task_id`` or
            ``dag_id.task_id``, and ``lambda``, ``container`` or ``airflow``. The last pattern that fits counts.
        maps: ``distributed`` makes each instance of a mapped task an execution of its own; ``auto`` only where the
            history of one execution has no room for all of them.
    """

    paths: tuple[Path, ...]
    out: Path
    airflow: AirflowSource = field(default_factory=AirflowSource)
    target: Target = field(default_factory=Target)
    project: Project = field(default_factory=Project)
    parse_timeout: float = 30.0
    layers: LayerMode = "auto"
    joins: Joins = "token"
    maps: Maps = "auto"
    targets: Mapping[str, RunsIn] = field(default_factory=dict)
    cache: Path | None = field(default_factory=default_cache)
    allow: tuple[Allowance, ...] = ()
    overrides: Overrides = field(default_factory=Overrides)
