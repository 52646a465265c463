"""``orkestra-bridge convert``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orkestra_bridge.cli.configured import (
    allowances,
    configuration_of,
    defaults,
    needed,
    overrides_of,
    read,
    targets,
)
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
from orkestra_bridge.config.model import Configuration
from orkestra_bridge.errors import UsageError
from orkestra_bridge.options import ConvertOptions
from orkestra_bridge.policy import ErrorLevel, exit_code

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orkestra_bridge.config.model import Override
    from orkestra_bridge.options import Project
    from orkestra_bridge.pipeline import Conversion

DEFAULT_OUT = Path("orkestra-out")
_FIRST = "*"


@click.command(
    "convert",
    cls=Command,
    examples=(
        "orkestra-bridge convert dags/ -o build",
        "orkestra-bridge convert dags/sales.py --run daily_sales",
        "orkestra-bridge convert dags/ --airflow-version 2.11.2 --requirements requirements.txt",
        "orkestra-bridge convert dags/ --pythonpath . --env-file .env --variables variables.json",
    ),
)
@paths_argument
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    default=DEFAULT_OUT,
    show_default=True,
    help="Where to write.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What to print.",
)
@click.option(
    "--run",
    "run_id",
    is_flag=False,
    flag_value=_FIRST,
    metavar="[DAG_ID]",
    help="Run this DAG afterwards, here; without an id, the first one that was translated.",
)
@loading_options
@function_options
@click.option(
    "--layers",
    type=click.Choice(["auto", "skip"]),
    default="auto",
    help="Build layers, or only list what is in them.",
)
@shape_options
@verdict_options
@click.pass_context
def command(
    context: click.Context,
    /,
    paths: tuple[Path, ...],
    out: Path,
    form: str,
    run_id: str | None,
    error_level: ErrorLevel,
    **given: Any,
) -> int:
    """Translate the DAGs in PATHS, which are DAG files or folders of them.

    Each DAG gets a folder below OUT with its state machine, its Lambda package, a CloudFormation template and a picture.
    Exit code: 0 if every DAG was translated, 1 if something was refused (see --error-level), 2 for wrong usage.
    """
    options = options_from(needed(paths), out, given, configuration_of(context).overrides)
    conversion = _convert(options, form)
    _print(conversion, form)
    code = exit_code(conversion.report.all_findings(), error_level)
    return code or (0 if run_id is None else _run(conversion, run_id, form, options.project))


def options_from(
    paths: tuple[Path, ...], out: Path, given: Mapping[str, Any], overrides: Sequence[Override]
) -> ConvertOptions:
    """Return the options of a conversion; ``given`` are the command's other arguments by name.

    Raises:
        click.UsageError: Two options exclude each other.
    """
    loading = loading_from(given)
    return ConvertOptions(
        paths=paths,
        out=out,
        airflow=loading.airflow,
        project=loading.project,
        parse_timeout=loading.parse_timeout,
        cache=loading.cache,
        target=target_from(given),
        layers="skip" if given["layers"] == "skip" else "auto",
        joins="barrier" if given["joins"] == "barrier" else "token",
        targets=targets(given["containers"], given["airflows"], overrides),
        allow=allowances(given["allow"], overrides),
        overrides=overrides_of(overrides, paths),
    )


def configured_options(configuration: Path | None, paths: tuple[Path, ...]) -> ConvertOptions:
    """Return the options that a conversion of these paths has with a configuration file and nothing else.

    Without a file they are the defaults; relative paths in the file are those of its folder.

    Raises:
        UsageError: The file is wrong, or something that it names does not exist.
    """
    found = read(configuration) if configuration else Configuration()
    given = defaults(found, [command])
    try:
        context = command.make_context("convert", [], default_map=given["convert"])
        return options_from(paths, context.params["out"], context.params, found.overrides)
    except click.UsageError as problem:
        raise UsageError(problem.format_message(), remedy=f"correct {configuration}") from problem


def _convert(options: ConvertOptions, form: str) -> Conversion:
    from orkestra_bridge.cli.progress import file_progress
    from orkestra_bridge.cli.tables import load_tables
    from orkestra_bridge.pipeline import convert

    with file_progress() as on_file:
        return convert(options, on_file=on_file, meanwhile=load_tables if form == "text" else None)


def _print(conversion: Conversion, form: str) -> None:
    from orkestra_bridge.cli.tables import print_report
    from orkestra_bridge.ir.serialize import render

    if form == "json":
        click.echo(render(conversion.report.to_json(), sort=False), nl=False)
    else:
        print_report(conversion)


def _run(conversion: Conversion, dag_id: str, form: str, project: Project) -> int:
    from orkestra_bridge.cli.run import run_and_print
    from orkestra_bridge.project.surroundings import surroundings_of

    wanted = conversion.translated[:1] if dag_id == _FIRST else (dag_id,)
    if not wanted:
        raise click.UsageError("--run: no DAG was translated")
    return run_and_print(
        conversion.out,
        wanted[0],
        python=conversion.environment.python,
        form=form,
        environment=surroundings_of(project).values,
    )
