"""Packages that single tasks of a DAG have: their layers, whether the DAG loads with them, and what there is to say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

from orkestra_bridge.packaging.layer import LIMIT_TEXT, MEGABYTE, is_too_large
from orkestra_bridge.packaging.rules import LAYER_TOO_LARGE, NO_WHEEL, NOT_CHECKED
from orkestra_bridge.packaging.task_packages import met, only_for
from orkestra_bridge.passes.placement import place_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future
    from types import TracebackType

    from typing_extensions import Self

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.frontend.model import DagFile
    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.packaging.layer import Layers
    from orkestra_bridge.packaging.model import LambdaPackage, LayerResult, PackageResult, TaskPackages
    from orkestra_bridge.packaging.task_preflight import TaskPreflight


@final
@dataclass(frozen=True, slots=True)
class OfTasks:
    """Packages of some tasks, and what is being found out about them; None where all of the tasks have an image."""

    packages: TaskPackages
    preflight: Future[tuple[Finding, ...]] | None
    layer: Future[LayerResult] | None

    @property
    def built(self) -> LayerResult | None:
        """Return what became of the layer, when it is known."""
        return self.layer.result() if self.layer else None


@final
class TaskPackaging:
    """Begins what takes long for the packages of tasks; a context manager that ends its processes."""

    def __init__(self, preflight: TaskPreflight, layers: Layers) -> None:
        self._preflight = preflight
        self._layers = layers

    def __enter__(self) -> Self:
        self._preflight.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._preflight.__exit__(kind, error, trace)

    def submit(self, workflow: Workflow, file: DagFile, package: LambdaPackage) -> tuple[OfTasks, ...]:
        """Return the packages of tasks, with their layers and checks as futures."""
        contained = {task.task_id for task in workflow.tasks if task.container}
        loaded_by = {
            task.task_id for task in workflow.tasks if not (task.container and task.container.airflow)
        }
        return tuple(
            OfTasks(
                each,
                self._preflight.submit(workflow, file, package, each)
                if loaded_by.intersection(each.task_ids)
                else None,
                self._layers.submit(each.requirements, each.constraints)
                if set(each.task_ids) - contained
                else None,
            )
            for each in package.of_tasks
        )

    def about_unmet(self, built: PackageResult) -> Iterator[Finding]:
        """Yield what is to be said of imports inside functions that only the packages of some tasks may bring."""
        packages = built.package.of_tasks
        modules = (
            {each.given.number: self._preflight.modules(each) for each in packages} if built.unmet else {}
        )
        for found, finding in built.unmet:
            bringing = [each for each in packages if met(found, each, modules[each.given.number])]
            if not bringing:
                yield finding
                continue
            yield only_for(
                built.package.dag_id, found, [task_id for each in bringing for task_id in each.task_ids]
            )


def about_task_packages(of_tasks: Iterable[OfTasks], workflow: Workflow, file: DagFile) -> Iterator[Finding]:
    """Yield what has been found about packages of tasks; waits for what is still running."""
    for each in of_tasks:
        for finding in each.preflight.result() if each.preflight else ():
            about = "" if finding.id == NOT_CHECKED.id else f"with the {each.packages.text}: "
            yield replace(finding, message=f"{about}{finding.message}")
        for finding in each.built.findings if each.built else ():
            message, remedy = _in_their_words(each, finding)
            yield replace(finding, message=message, remedy=remedy, dag_id=workflow.dag_id, file=file.display)


def _in_their_words(of_tasks: OfTasks, finding: Finding) -> tuple[str, str]:
    """Return message and remedy of a finding about a layer, for the tasks that it is for."""
    packages, built = of_tasks.packages, of_tasks.built
    if finding.id == LAYER_TOO_LARGE.id and built is not None and built.layer is not None:
        return (
            (
                f"{packages.text}: they have {built.layer.size // MEGABYTE} MB unzipped, Lambda takes {LIMIT_TEXT}, and "
                "a sensor cannot wait in a container"
            ),
            f"name less in {packages.given.file}, or keep it from the sensors",
        )
    wrong = finding.id == NO_WHEEL.id
    remedy = f"correct {packages.given.file}, or choose another target" if wrong else finding.remedy
    return f"{packages.text}: {finding.message}", remedy


def in_containers(workflow: Workflow, of_tasks: Iterable[OfTasks]) -> Workflow:
    """Return the workflow with containers for tasks whose packages are too large for a function, where they can have one.

    It is the same object if nothing had to move.
    """
    for each in of_tasks:
        built = each.built
        if built is None or built.layer is None or not is_too_large(built):
            continue
        size = built.layer.size // MEGABYTE
        reason = f"its packages ({each.packages.given.file}) have {size} MB, Lambda takes {LIMIT_TEXT}"
        workflow = place_all(workflow, reason, each.packages.given)
    return workflow
