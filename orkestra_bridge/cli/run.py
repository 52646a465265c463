"""``orkestra-bridge run``."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orkestra_bridge.cli.convert import DEFAULT_OUT
from orkestra_bridge.cli.examples import Command

if TYPE_CHECKING:
    from collections.abc import Mapping


@click.command(
    "run",
    cls=Command,
    examples=(
        "orkestra-bridge run daily_sales",
        'orkestra-bridge run daily_sales --conf \'{"region": "eu"}\' --logical-date 2024-03-01T00:00:00+00:00',
    ),
)
@click.argument("dag_id")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    default=DEFAULT_OUT,
    show_default=True,
    help="What `convert` wrote.",
)
@click.option(
    "--conf", default="{}", metavar="JSON", help="The run's conf, as `airflow dags trigger --conf` takes it."
)
@click.option("--logical-date", metavar="ISO", help="The run's logical date with its offset; default now.")
@click.option(
    "--partition-key", metavar="KEY", help="The partition that the run of a partitioned DAG is about."
)
@click.option(
    "--python", type=click.Path(path_type=Path), help="The Python whose packages the tasks may import."
)
@click.option(
    "--env-file",
    "env_files",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Environment variables of the tasks, as NAME=VALUE lines; AIRFLOW_VAR_* and AIRFLOW_CONN_* of the caller are "
    "passed on anyway. May be repeated.",
)
@click.option(
    "--container-command",
    metavar="PROGRAM",
    help="What runs images of DockerOperator and KubernetesPodOperator: docker or podman, or a program that takes the "
    "same arguments.",
)
@click.option(
    "--kubernetes",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Secrets and ConfigMaps for images of KubernetesPodOperator, as `kubectl get secret NAME -o json` writes them; "
    "may be repeated.",
)
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="PARAMETER=IMAGE",
    help="An image to run instead of the DAG's, by the template's parameter for it; may be repeated.",
)
@click.option(
    "--follow-assets", is_flag=True, help="Also run the DAGs that wait for the assets that this run updates."
)
@click.option("--fast", is_flag=True, help="Let retry delays and other waits take no time.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What to print.",
)
def command(
    dag_id: str,
    out: Path,
    conf: str,
    logical_date: str | None,
    partition_key: str | None,
    python: Path | None,
    env_files: tuple[Path, ...],
    container_command: str | None,
    kubernetes: tuple[Path, ...],
    images: tuple[str, ...],
    follow_assets: bool,
    fast: bool,
    form: str,
) -> int:
    """Run the translated DAG_ID here: its state machine in an interpreter, its tasks in worker processes.

    Exit code: 0 if the run succeeded, 1 if it failed. Logs are written below OUT/.runs/.
    """
    try:
        values = json.loads(conf)
    except ValueError as problem:
        raise click.BadParameter(f"not JSON: {problem}", param_hint="--conf") from problem
    if not isinstance(values, dict):
        raise click.BadParameter("must be a JSON object", param_hint="--conf")
    from orkestra_bridge.project.env_files import read_env_files
    from orkestra_bridge.project.kubernetes_files import read_kubernetes

    return run_and_print(
        out,
        dag_id,
        python=python,
        form=form,
        conf=values,
        logical_date=logical_date,
        partition_key=partition_key,
        fast=fast,
        environment=read_env_files(env_files),
        container_command=container_command,
        kubernetes={
            f"{each.folder}/{each.name}": each.value for each in read_kubernetes(kubernetes) if each.value
        },
        images=_pairs(images),
        follow_assets=follow_assets,
    )


def _pairs(given: tuple[str, ...]) -> dict[str, str]:
    pairs = {name: value for name, _, value in (each.partition("=") for each in given)}
    if not all(pairs.values()):
        raise click.BadParameter("write it as Image1Uri=registry/name:tag", param_hint="--image")
    return pairs


def run_and_print(
    out: Path,
    dag_id: str,
    *,
    python: Path | None,
    form: str,
    conf: dict[str, object] | None = None,
    logical_date: str | None = None,
    partition_key: str | None = None,
    fast: bool = False,
    environment: Mapping[str, str] | None = None,
    container_command: str | None = None,
    kubernetes: Mapping[str, str] | None = None,
    images: Mapping[str, str] | None = None,
    follow_assets: bool = False,
) -> int:
    """Run a DAG, print the result, and return the exit code: 0 for a successful run, 1 for a failed one."""
    from orkestra_bridge.local.interpreter import RealClock, VirtualClock
    from orkestra_bridge.local.run import RunRequest, run_dag
    from orkestra_bridge.local.view import live_view, print_result

    request = RunRequest(
        out=out,
        dag_id=dag_id,
        conf=conf or {},
        logical_date=logical_date,
        partition_key=partition_key,
        python=python or Path(sys.executable),
        environment=environment or {},
        container_command=container_command,
        kubernetes=kubernetes or {},
        images=images or {},
        follow_assets=follow_assets,
    )
    clock = VirtualClock(datetime.now(timezone.utc)) if fast else RealClock()
    with live_view(dag_id) as on_event:
        result = run_dag(request, on_event=on_event, clock=clock)
    if form == "json":
        click.echo(json.dumps(result.to_json(), ensure_ascii=False))
    else:
        print_result(result)
    return 0 if result.run_state == "success" else 1
