"""``orkestra-bridge explain``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orkestra_bridge.cli.configured import configuration_of, overrides_of, targets
from orkestra_bridge.cli.examples import Command
from orkestra_bridge.cli.shared_options import (
    function_options,
    loading_from,
    loading_options,
    shape_options,
    target_from,
)
from orkestra_bridge.errors import BridgeError, UsageError

if TYPE_CHECKING:
    from orkestra_bridge.cli.shared_options import Loading
    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.options import Joins, Overrides, Target

STAGES = ("ir", "regions", "asl", "template")


@click.command(
    "explain",
    cls=Command,
    examples=(
        "orkestra-bridge explain dags/sales.py",
        "orkestra-bridge explain dags/sales.py --dag daily_sales --stage asl",
    ),
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dag", "dag_id", help="Which DAG of the file; needed if there are several.")
@click.option(
    "--stage", type=click.Choice(STAGES), default="regions", show_default=True, help="What to print."
)
@loading_options
@shape_options
@function_options
@click.pass_context
def command(
    context: click.Context,
    /,
    file: Path,
    dag_id: str | None,
    stage: str,
    joins: str,
    containers: tuple[str, ...],
    airflows: tuple[str, ...],
    **loaded: Any,
) -> int:
    """Print a stage of the translation of a DAG in FILE: the representation, the nesting, the machine or the template."""
    from orkestra_bridge.passes.configured import configure
    from orkestra_bridge.passes.placement import place

    written = configuration_of(context).overrides
    given = overrides_of(written)
    workflow = _load(file, dag_id, loading_from(loaded))
    workflow = place(configure(workflow, given), targets(containers, airflows, written))
    lines = _text(workflow, stage, "barrier" if joins == "barrier" else "token", target_from(loaded), given)
    click.echo(lines, nl=False)
    return 0


def _load(file: Path, dag_id: str | None, loading: Loading) -> Workflow:
    from orkestra_bridge.frontend.opening import open_project

    if file.is_dir():
        raise UsageError(f"{file} is a folder", remedy="name one DAG file")
    opened = open_project([file], loading.airflow, loading.project, loading.cache)
    with opened.frontend(loading.parse_timeout) as frontend:
        loaded = list(frontend.load(opened.discovery.files))
    for finding in (*opened.discovery.findings, *(finding for each in loaded for finding in each.findings)):
        click.echo(str(finding), err=True)
    found = {workflow.dag_id: workflow for each in loaded for workflow in each.workflows}
    if not found:
        raise BridgeError(f"no DAG could be loaded from {file}", remedy="see the findings above")
    if dag_id is None and len(found) > 1:
        raise UsageError(
            f"{file} defines {len(found)} DAGs", remedy=f"choose one with --dag: {', '.join(sorted(found))}"
        )
    if dag_id is not None and dag_id not in found:
        raise UsageError(f"{file} defines no DAG {dag_id!r}", remedy=f"it has {', '.join(sorted(found))}")
    return found[dag_id] if dag_id else next(iter(found.values()))


def _text(workflow: Workflow, stage: str, joins: Joins, target: Target, given: Overrides) -> str:
    from orkestra_bridge.diagnostics import refuses
    from orkestra_bridge.ir.pprint import workflow_text
    from orkestra_bridge.ir.serialize import render
    from orkestra_bridge.lowering.groups import refused_groups
    from orkestra_bridge.lowering.machine import lower, nest
    from orkestra_bridge.lowering.pprint import nesting_text, placement_text
    from orkestra_bridge.operators.registry import check_operators

    if stage == "ir":
        return workflow_text(workflow)
    findings = refused_groups(workflow)
    about_operators = check_operators(workflow)
    if stage == "regions" and not findings and refuses(about_operators):
        return nesting_text(nest(workflow, joins)[1])
    findings += about_operators
    if refuses(findings):
        raise BridgeError(
            "; ".join(str(finding) for finding in findings), remedy="stages ir and regions can be shown"
        )
    lowered = lower(workflow, joins)
    if stage == "regions":
        return nesting_text(lowered.decomposition, lowered.region) + placement_text(workflow)
    if stage == "asl":
        machines = [lowered.definition, *lowered.parts.values()]
        return "".join(render(machine, sort=False).decode() for machine in machines)
    from orkestra_bridge.drafting import function_asset
    from orkestra_bridge.operators.images import build_suffix, builds_of
    from orkestra_bridge.stack.container import ImageAsset
    from orkestra_bridge.stack.template import build_stack

    function = function_asset(workflow.dag_id, "<package>", target, given)
    builds = builds_of(workflow)
    images = [ImageAsset(tag="<image>", suffix=build_suffix(builds, build)) for build in builds]
    stack = build_stack(
        workflow, lowered.definition, function, None, target, parts=lowered.parts, images=images
    )
    return render(stack.template, sort=False).decode()
