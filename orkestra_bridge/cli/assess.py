"""``orkestra-bridge assess``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orkestra_bridge.cli.configured import allowances, configuration_of, needed, overrides_of, targets
from orkestra_bridge.cli.console import say
from orkestra_bridge.cli.examples import Command
from orkestra_bridge.cli.shared_options import (
    function_options,
    loading_from,
    loading_options,
    paths_argument,
    shape_options,
    target_from,
    verdict_options,
)

if TYPE_CHECKING:
    from orkestra_bridge.assess.model import Assessment
    from orkestra_bridge.policy import ErrorLevel

FORMS = ("text", "json", "markdown", "sarif", "html")


@click.command(
    "assess",
    cls=Command,
    examples=(
        "orkestra-bridge assess dags/",
        "orkestra-bridge assess dags/ --durations durations.csv --memory 1024",
        "orkestra-bridge assess dags/ --format html -o assessment.html",
        "orkestra-bridge assess dags/ --format sarif -o findings.sarif --error-level warning",
    ),
)
@paths_argument
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
@loading_options
@shape_options
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
@function_options
@verdict_options
@click.pass_context
def command(
    context: click.Context,
    /,
    paths: tuple[Path, ...],
    form: str,
    output: Path | None,
    source_url: str,
    joins: str,
    containers: tuple[str, ...],
    airflows: tuple[str, ...],
    durations: Path | None,
    task_seconds: float,
    allow: tuple[str, ...],
    error_level: ErrorLevel,
    **loaded: Any,
) -> int:
    """Say what a translation of the DAGs in PATHS would be like, without packaging anything.

    Exit code: 0 if every DAG can be translated, 1 if something is refused (see --error-level), 2 for wrong usage.
    """
    from orkestra_bridge.assess.cost import Assumptions
    from orkestra_bridge.assess.durations import read_durations
    from orkestra_bridge.assess.run import AssessOptions, assess
    from orkestra_bridge.cli.progress import file_progress
    from orkestra_bridge.policy import exit_code

    if source_url and "{file}" not in source_url:
        raise click.BadParameter("must say where the path goes, as {file}", param_hint="--source-url")
    loading, target = loading_from(loaded), target_from(loaded)
    overrides = configuration_of(context).overrides
    options = AssessOptions(
        paths=needed(paths),
        airflow=loading.airflow,
        project=loading.project,
        parse_timeout=loading.parse_timeout,
        cache=loading.cache,
        joins="barrier" if joins == "barrier" else "token",
        assumptions=Assumptions(
            seconds=task_seconds,
            memory=target.memory,
            architecture=target.architecture,
            durations=read_durations(durations),
        ),
        allow=allowances(allow, overrides),
        targets=targets(containers, airflows, overrides),
        overrides=overrides_of(overrides, paths),
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
        say(content)
        return
    from orkestra_bridge.errors import OutputError

    try:
        output.write_text(click.unstyle(content), encoding="utf-8")
    except OSError as problem:
        raise OutputError(
            f"{output} cannot be written: {problem.strerror}", remedy="name another file"
        ) from problem
    click.echo(f"written: {output}", err=True)
