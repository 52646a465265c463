"""``orkestra-bridge explain``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orkestra_bridge.cli.project_options import project_from, project_options
from orkestra_bridge.errors import BridgeError, UsageError
from orkestra_bridge.options import AirflowSource, Target, default_cache

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.options import Joins, Project

STAGES = ("ir", "regions", "asl", "template")


@click.command("explain")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dag", "dag_id", help="Which DAG of the file; needed if there are several.")
@click.option(
    "--stage", type=click.Choice(STAGES), default="regions", show_default=True, help="What to print."
)
@click.option(
    "--joins",
    type=click.Choice(["token", "barrier"]),
    default="token",
    show_default=True,
    help="As in `convert`.",
)
@click.option("--container", "containers", multiple=True, metavar="TASK", help="As in `convert`.")
@click.option(
    "--airflow-python", type=click.Path(path_type=Path), help="A Python that has Airflow, to parse with."
)
@click.option(
    "--airflow-version", metavar="X.Y.Z", help="Parse with this Airflow, in an environment made for it."
)
@project_options
def command(
    file: Path,
    dag_id: str | None,
    stage: str,
    joins: str,
    containers: tuple[str, ...],
    airflow_python: Path | None,
    airflow_version: str | None,
    **surroundings: Any,
) -> int:
    r"""Print a stage of the translation of a DAG in FILE: the representation, the nesting, the machine or the template.

    \b
    orkestra-bridge explain dags/sales.py
    orkestra-bridge explain dags/sales.py --dag daily_sales --stage asl
    """
    from orkestra_bridge.passes.placement import place

    project = project_from(surroundings)
    source = AirflowSource(python=airflow_python, version=airflow_version, requirements=project.requirements)
    workflow = place(_load(file, dag_id, source, project), dict.fromkeys(containers, "container"))
    click.echo(_text(workflow, stage, "barrier" if joins == "barrier" else "token"), nl=False)
    return 0


def _load(file: Path, dag_id: str | None, source: AirflowSource, project: Project) -> Workflow:
    from orkestra_bridge.frontend.discovery import discover, ignore_syntax
    from orkestra_bridge.frontend.environments import resolve_environment
    from orkestra_bridge.frontend.loader import Frontend
    from orkestra_bridge.project.surroundings import surroundings_of

    if file.is_dir():
        raise UsageError(f"{file} is a folder", remedy="name one DAG file")
    cache = default_cache()
    environment, around = resolve_environment(source, cache), surroundings_of(project)
    with Frontend(environment, parse_timeout=30.0, cache=cache, surroundings=around) as frontend:
        files = discover(
            [file],
            syntax=ignore_syntax(environment),
            search=around.search,
            working_directory=around.working_directory,
        ).files
        loaded = next(iter(frontend.load(files)))
    for finding in loaded.findings:
        click.echo(str(finding), err=True)
    found = {workflow.dag_id: workflow for workflow in loaded.workflows}
    if not found:
        raise BridgeError(f"no DAG could be loaded from {file}", remedy="see the findings above")
    if dag_id is None and len(found) > 1:
        raise UsageError(
            f"{file} defines {len(found)} DAGs", remedy=f"choose one with --dag: {', '.join(sorted(found))}"
        )
    if dag_id is not None and dag_id not in found:
        raise UsageError(f"{file} defines no DAG {dag_id!r}", remedy=f"it has {', '.join(sorted(found))}")
    return found[dag_id] if dag_id else next(iter(found.values()))


def _text(workflow: Workflow, stage: str, joins: Joins) -> str:
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
    from orkestra_bridge.stack.container import ImageAsset
    from orkestra_bridge.stack.model import FunctionAsset
    from orkestra_bridge.stack.template import build_stack
    from orkestra_bridge.translation import HANDLER, LAMBDA_TIMEOUT

    target = Target()
    function = FunctionAsset(
        logical="Tasks", key_hash="<package>", handler=HANDLER, memory=target.memory, timeout=LAMBDA_TIMEOUT
    )
    contained = any(task.container is not None for task in workflow.tasks)
    image = ImageAsset(tag="<image>") if contained else None
    stack = build_stack(
        workflow, lowered.definition, function, None, target, parts=lowered.parts, image=image
    )
    return render(stack.template, sort=False).decode()
