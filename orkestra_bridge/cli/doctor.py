"""``orkestra-bridge doctor``."""

from __future__ import annotations

from pathlib import Path

import click

from orkestra_bridge.cli.console import say
from orkestra_bridge.cli.examples import Command
from orkestra_bridge.cli.shared_options import cache_option
from orkestra_bridge.options import AirflowSource, default_cache

_COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}


@click.command(
    "doctor",
    cls=Command,
    examples=(
        "orkestra-bridge doctor",
        "orkestra-bridge doctor --airflow-python /opt/airflow/bin/python --format json",
    ),
)
@click.option(
    "--airflow-python",
    type=click.Path(path_type=Path),
    help="The Python that has Airflow, if it is another one.",
)
@cache_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What to print.",
)
def command(airflow_python: Path | None, cache_dir: Path | None, form: str) -> int:
    """Look at what the other commands need: Python, Airflow, uv, Node.js for the CDK, AWS credentials and region.

    Nothing is changed and nothing is sent. Exit code: 0, or 1 if something is missing that `convert` needs.
    """
    from orkestra_bridge.checkup import checkup
    from orkestra_bridge.ir.serialize import render
    from orkestra_bridge.operate.account import credentials_and_region

    checks = tuple(
        checkup(AirflowSource(python=airflow_python), cache_dir or default_cache(), credentials_and_region)
    )
    if form == "json":
        click.echo(render({"checks": [check.to_json() for check in checks]}, sort=False), nl=False)
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            mark = click.style(f"{check.status:7}", fg=_COLOURS[check.status])
            say(f"{mark}  {check.name:{width}}  {check.found}\n")
            if check.remedy:
                say(f"{'':9}{'':{width}}  needed by {check.needed_by} -> {check.remedy}\n")
    return int(any(check.status == "error" for check in checks))
