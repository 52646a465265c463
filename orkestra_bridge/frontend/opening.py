"""What comes before loading, whatever is made of the DAGs then: which Airflow, what is around the files, which files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from orkestra_bridge.frontend.discovery import discover, ignore_syntax
from orkestra_bridge.frontend.environments import resolve_environment
from orkestra_bridge.frontend.loader import Frontend
from orkestra_bridge.project.surroundings import surroundings_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from orkestra_bridge.frontend.model import Discovery, Environment
    from orkestra_bridge.options import AirflowSource, Project
    from orkestra_bridge.project.surroundings import Surroundings


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What is known before the first file is loaded."""

    environment: Environment
    around: Surroundings
    discovery: Discovery
    cache: Path | None

    def frontend(self, parse_timeout: float) -> Frontend:
        """Return what loads the files, each within so many seconds; a context manager."""
        return Frontend(
            self.environment, parse_timeout=parse_timeout, cache=self.cache, surroundings=self.around
        )


def open_project(
    paths: Sequence[Path], airflow: AirflowSource, project: Project, cache: Path | None
) -> Opened:
    """Return the Airflow, the surroundings and the files that the options of that name say.

    Raises:
        UsageError: A path does not exist, or a file of the surroundings cannot be read.
        EnvironmentSetupError: There is no Airflow to parse with.
    """
    environment = resolve_environment(airflow, cache)
    around = surroundings_of(project)
    discovery = discover(
        paths,
        syntax=ignore_syntax(environment),
        search=around.search,
        working_directory=around.working_directory,
    )
    return Opened(environment=environment, around=around, discovery=discovery, cache=cache)
