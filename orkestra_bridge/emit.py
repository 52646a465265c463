"""The files of one translated DAG."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orkestra_bridge.ir.serialize import render
from orkestra_bridge.ir.stored import assets_with_state
from orkestra_bridge.lowering.mermaid import to_mermaid
from orkestra_bridge.packaging.archive import zipped
from orkestra_bridge.packaging.installer import pins
from orkestra_bridge.packaging.model import Entry
from orkestra_bridge.stack.definitions import ASSETS, asset_bytes
from orkestra_bridge.stack.states import shared_template

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.lowering.machine import Lowered
    from orkestra_bridge.output import Output
    from orkestra_bridge.packaging.image import BuildContext
    from orkestra_bridge.packaging.model import LambdaPackage, Requirement
    from orkestra_bridge.stack.model import Stack

PARTS = "state_machines"
SHARED = "asset_state_table.json"
"""The template of the table that DAGs share, in the folder of each DAG that uses it."""


def emit(
    output: Output,
    workflow: Workflow,
    lowered: Lowered,
    package: LambdaPackage,
    stack: Stack,
    *,
    images: tuple[BuildContext, ...] = (),
) -> tuple[Entry, ...]:
    """Stage everything about a DAG below ``<dag_id>/``, and return its files with paths below that."""
    files = (
        Entry("workflow.json", render(workflow)),
        Entry("state_machine.asl.json", render(lowered.definition, sort=False)),
        *(
            Entry(f"{PARTS}/{name}.asl.json", render(part, sort=False))
            for name, part in lowered.parts.items()
        ),
        *(Entry(f"{ASSETS}/{name}.json", asset_bytes(each)) for name, each in stack.definitions.items()),
        Entry("template.json", render(stack.template, sort=False)),
        *(Entry(SHARED, render(shared_template(), sort=False)) for _ in assets_with_state(workflow)[:1]),
        Entry("graph.mmd", to_mermaid(lowered.definition, lowered.parts).encode()),
        Entry("functions/tasks.zip", zipped(package)),
        Entry("functions/requirements.txt", requirements_text(package.requirements).encode()),
        *(
            Entry(
                f"functions/requirements-{each.given.number}.txt",
                requirements_text(each.requirements).encode(),
            )
            for each in package.of_tasks
        ),
        *(replace(entry, path=f"{image.folder}/{entry.path}") for image in images for entry in image.entries),
    )
    output.write_folder(workflow.dag_id, files)
    return files


def requirements_text(requirements: tuple[Requirement, ...]) -> str:
    """Return a requirements file: a line for each distribution with the reason for it."""
    lines = []
    for requirement in (each for each in requirements if not each.elsewhere):
        [pin] = pins((requirement,))
        where = "; in the Lambda runtime" if requirement.provided else ""
        lines.append(f"{pin}  # {requirement.reason}{where}\n")
    return "".join(lines)
