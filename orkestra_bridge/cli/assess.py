"""``orkestra-bridge assess``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orkestra_bridge.cli.configured import ConfiguredPaths, allowances, configuration_of, needed, targets
from orkestra_bridge.cli.project_options import project_from, project_options
from orkestra_bridge.options import AirflowSource, default_cache

if TYPE_CHECKING:
    from orkestra_bridge.assess.model import Assessment
    from orkestra_bridge.options import Architecture
    from orkestra_bridge.policy import ErrorLevel

FORMS = ("text", "json", "markdown", "sarif", "html")


@click.command("assess")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), cls=ConfiguredPaths)
@click.option(
    "--format", "form", type=click.Choice(FORMS), default="text", show_default=True, help="What to write."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file, not to stdout.",
)
@click.option(
    "--source-url",
    default="",
    metavar="URL",
    help="What places link to in HTML, such as https://example.com/repo/blob/main/{file}#L{line}.",
)
@click.option(
    "--airflow-python", type=click.Path(path_type=Path), help="A Python that has Airflow, to parse with."
)
@click.option(
    "--airflow-version", metavar="X.Y.Z", help="Parse with this Airflow, in an environment made for it."
)
@project_options
@click.option(
    "--joins",
    type=click.Choice(["token", "barrier"]),
    default="token",
    show_default=True,
    help="As in `convert`.",
)
@click.option(
    "--parse-timeout",
    type=click.FloatRange(min=0.1),
    default=30.0,
    show_default=True,
    help="Seconds for one DAG file.",
)
@click.option(
    "--container", "containers", multiple=True, metavar="PATTERN", help="As in `convert`; may be repeated."
)
@click.option(
    "--durations",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="How long tasks took: CSV or JSON with dag_id, task_id, seconds.",
)
@click.option(
    "--task-seconds",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="How long a task is taken to run without that.",
)
@click.option(
    "--memory", type=click.IntRange(128, 10_240), default=512, show_default=True, help="MB per function."
)
@click.option(
    "--architecture",
    type=click.Choice(["arm64", "x86_64"]),
    default="arm64",
    show_default=True,
    help="Processor of the Lambda functions.",
)
@click.option("--cache-dir", type=click.Path(path_type=Path), help="Where the cache is.")
@click.option("--no-cache", is_flag=True, help="Neither use nor fill the cache.")
@click.option(
    "--allow", multiple=True, metavar="ID", help="Count this finding one step less; can be given again."
)
@click.option(
    "--error-level",
    type=click.Choice(["warning", "error", "never"]),
    default="error",
    show_default=True,
    help="The least severe finding that makes the exit code 1.",
)
@click.pass_context
def command(
    context: click.Context,
    /,
    paths: tuple[Path, ...],
    form: str,
    output: Path | None,
    source_url: str,
    airflow_python: Path | None,
    airflow_version: str | None,
    joins: str,
    parse_timeout: float,
    containers: tuple[str, ...],
    durations: Path | None,
    task_seconds: float,
    memory: int,
    architecture: Architecture,
    cache_dir: Path | None,
    allow: tuple[str, ...],
    error_level: ErrorLevel,
    *,
    no_cache: bool,
    **surroundings: Any,
) -> int:
    r"""Say what a translation of the DAGs in PATHS would be like, without packaging anything.

    Exit code: 0 if every DAG can be translated, 1 if something is refused (see --error-level), 2 for wrong usage.

    \b
    orkestra-bridge assess dags/
    orkestra-bridge assess dags/ --durations durations.csv --memory 1024
    orkestra-bridge assess dags/ --format html -o assessment.html
    orkestra-bridge assess dags/ --format sarif -o findings.sarif --error-level warning
    """
    if airflow_python and airflow_version:
        raise click.UsageError("--airflow-python and --airflow-version exclude each other")
    from orkestra_bridge.assess.cost import Assumptions
    from orkestra_bridge.assess.durations import read_durations
    from orkestra_bridge.assess.run import AssessOptions, assess
    from orkestra_bridge.cli.progress import file_progress
    from orkestra_bridge.policy import exit_code

    project = project_from(surroundings)
    overrides = configuration_of(context).overrides
    options = AssessOptions(
        paths=needed(paths),
        airflow=AirflowSource(
            python=airflow_python, version=airflow_version, requirements=project.requirements
        ),
        project=project,
        parse_timeout=parse_timeout,
        joins="barrier" if joins == "barrier" else "token",
        cache=None if no_cache else cache_dir or default_cache(),
        assumptions=Assumptions(
            seconds=task_seconds,
            memory=memory,
            architecture=architecture,
            durations=read_durations(durations),
        ),
        allow=allowances(allow, overrides),
        targets=targets(containers, overrides),
    )
    with file_progress() as on_file:
        assessment = assess(options, on_file=on_file)
    _write(_form(assessment, form, source_url), output)
    return exit_code(assessment.all_findings(), error_level)


def _form(assessment: Assessment, form: str, source_url: str) -> str:
    from orkestra_bridge.ir.serialize import render

    if form == "json":
        return render(assessment.to_json(), sort=False).decode()
    if form == "sarif":
        from orkestra_bridge.assess.sarif import sarif

        return render(sarif(assessment.all_findings()), sort=False).decode()
    if form == "markdown":
        from orkestra_bridge.assess.markdown import markdown

        return markdown(assessment)
    if form == "html":
        from orkestra_bridge.assess.page import html

        return html(assessment, source_url=source_url)
    from orkestra_bridge.assess.text import text
    from orkestra_bridge.cli.verbosity import shown

    return text(assessment, shown=shown())


def _write(content: str, output: Path | None) -> None:
    if output is None:
        click.echo(content, nl=False, color=False if os.environ.get("NO_COLOR") else None)
        return
    from orkestra_bridge.errors import OutputError

    try:
        output.write_text(click.unstyle(content), encoding="utf-8")
    except OSError as problem:
        raise OutputError(
            f"{output} cannot be written: {problem.strerror}", remedy="name another file"
        ) from problem
    click.echo(f"written: {output}", err=True)
