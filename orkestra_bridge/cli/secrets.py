"""``orkestra-bridge secrets``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orkestra_bridge.cli.examples import Command, Group

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orkestra_bridge.operate.secret_push import Change, Value

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group(
    "secrets",
    cls=Group,
    examples=("orkestra-bridge secrets push --variables variables.json --dry-run",),
)
def command() -> None:
    """Bring Variables, connections and what Kubernetes keeps to AWS, where translated DAGs look them up."""


@command.command(
    "push",
    cls=Command,
    examples=(
        "airflow variables export variables.json",
        "airflow connections export connections.json",
        "orkestra-bridge secrets push --variables variables.json --connections connections.json --dry-run",
        "kubectl get secret etl -o json | orkestra-bridge secrets push --kubernetes /dev/stdin",
    ),
)
@click.option("--variables", type=_FILE, help="What `airflow variables export` wrote.")
@click.option(
    "--connections", type=_FILE, help="What `airflow connections export` wrote: .json, .yaml or .env."
)
@click.option(
    "--kubernetes",
    type=_FILE,
    multiple=True,
    help="What `kubectl get secret,configmap NAME -o json` wrote, for images of KubernetesPodOperator; may be repeated.",
)
@click.option(
    "--prefix",
    default="/orkestra-bridge",
    show_default=True,
    metavar="P",
    help="In front of all names; the template's parameter SecretsPrefix has to say the same.",
)
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--region", help="AWS region; default that of the profile.")
@click.option("--profile", help="Profile of the AWS configuration.")
@click.option("--endpoint-url", help="Another address than AWS's own, for tests.")
def push(
    variables: Path | None,
    connections: Path | None,
    kubernetes: tuple[Path, ...],
    prefix: str,
    dry_run: bool,
    region: str | None,
    profile: str | None,
    endpoint_url: str | None,
) -> int:
    """Write Variables to Parameter Store and connections to Secrets Manager; what is there already stays as it is.

    Each key of a Secret or a ConfigMap is a parameter, too. Names are printed, values never. Running it again changes
    only what differs.
    """
    if variables is None and connections is None and not kubernetes:
        raise click.UsageError("nothing to push: give --variables, --connections or --kubernetes")
    from orkestra_bridge.operate.clients import clients
    from orkestra_bridge.operate.secret_push import SecretPush

    values = [*_values(variables, connections), *_cluster_values(kubernetes)]
    pushing = SecretPush(clients(region=region, profile=profile, endpoint_url=endpoint_url), prefix)
    changes = pushing.run(values, dry_run=dry_run, on_change=_print)
    counts = {
        action: sum(change.action == action for change in changes) for action in ("create", "update", "same")
    }
    verb = "would be" if dry_run else "were"
    click.echo(
        f"{counts['create']} {verb} created, {counts['update']} {verb} updated, {counts['same']} are the same"
    )
    return 0


def _values(variables: Path | None, connections: Path | None) -> Iterator[Value]:
    from orkestra_bridge.operate.secret_push import Value
    from orkestra_bridge.project.export_files import read_connections, read_variables

    if variables:
        for entry in read_variables(variables):
            yield Value("variables", entry.name, entry.value, f"{variables}:{entry.line}")
    if connections:
        for entry in read_connections(connections):
            yield Value("connections", entry.name, entry.value, f"{connections}:{entry.line}")


def _cluster_values(files: tuple[Path, ...]) -> Iterator[Value]:
    """Yield the keys of Kubernetes' objects; those that no environment variable holds are named, and left out."""
    from orkestra_bridge.operate.secret_push import Value
    from orkestra_bridge.project.kubernetes_files import read_kubernetes

    for entry in read_kubernetes(files):
        if entry.value is None:
            click.echo(f"left out  {entry.folder}/{entry.name}: it is empty, or no text", err=True)
        else:
            yield Value(entry.folder, entry.name, entry.value, str(entry.file))


def _print(change: Change, **_: Any) -> None:
    click.echo(f"{change.action:<7} {change.store:<9} {change.name}")
