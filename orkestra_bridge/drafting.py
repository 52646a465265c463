"""One DAG's way from its representation to its files; everything after the frontend, for one DAG at a time.

A DAG is first drafted: checked, lowered and packaged. While its package is loaded by the preflight process and its layer
is built, others are drafted; then it is finished: its template is made and its files are written, if nothing refuses it.
"""

from __future__ import annotations

import os
import traceback
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, final

from orkestra_bridge.diagnostics import refuses
from orkestra_bridge.emit import emit
from orkestra_bridge.errors import BridgeError
from orkestra_bridge.ir.model import Need, Needs, Schedule, ScheduleKind, SourceSpan, Workflow
from orkestra_bridge.lowering.functions import LONGEST, OF_DAG
from orkestra_bridge.lowering.groups import refused_groups
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.lowering.rules import INTERNAL_ERROR
from orkestra_bridge.operators.environments import environments_of
from orkestra_bridge.operators.images import build_suffix, builds_of
from orkestra_bridge.operators.other_dags import other_dags
from orkestra_bridge.operators.registry import check_operators
from orkestra_bridge.options import for_dag
from orkestra_bridge.output import LAYERS
from orkestra_bridge.packaging.build import build_package
from orkestra_bridge.packaging.image import airflow_context, build_context
from orkestra_bridge.packaging.layer import LIMIT_TEXT, MEGABYTE, Layers, is_too_large
from orkestra_bridge.packaging.preflight import Preflight
from orkestra_bridge.packaging.pythons import note_of, note_path
from orkestra_bridge.packaging.rules import FACADE_LACKS
from orkestra_bridge.packaging.task_preflight import TaskPreflight
from orkestra_bridge.passes.accounting import account
from orkestra_bridge.passes.cluster_values import cluster_needs
from orkestra_bridge.passes.configured import about_given, configure
from orkestra_bridge.passes.context_reads import about_context_reads
from orkestra_bridge.passes.made_up import about_made_up
from orkestra_bridge.passes.placement import (
    LAMBDA_MEMORY,
    about_airflow,
    about_placement,
    alone,
    loads_in_function,
    needs_function,
    place,
    place_all,
    place_in_airflow,
    works_without_function,
)
from orkestra_bridge.passes.targets import about_targets
from orkestra_bridge.policy import apply_allowances
from orkestra_bridge.report import DagReport
from orkestra_bridge.stack.container import ImageAsset
from orkestra_bridge.stack.model import FunctionAsset, LayerAsset
from orkestra_bridge.stack.schedule import schedule_view
from orkestra_bridge.stack.template import build_stack
from orkestra_bridge.task_packaging import OfTasks, TaskPackaging, about_task_packages, in_containers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from concurrent.futures import Future
    from types import TracebackType

    from typing_extensions import Self

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.frontend.model import DagFile, Environment
    from orkestra_bridge.lowering.machine import Lowered
    from orkestra_bridge.options import ConvertOptions, Overrides, Target
    from orkestra_bridge.output import Output
    from orkestra_bridge.packaging.closure import Closures
    from orkestra_bridge.packaging.image import BuildContext
    from orkestra_bridge.packaging.listed import Listed
    from orkestra_bridge.packaging.model import Entry, LambdaPackage, Layer, LayerResult
    from orkestra_bridge.passes.other_dags import Loaded
    from orkestra_bridge.project.surroundings import Surroundings
    from orkestra_bridge.stack.model import Stack

    Check = Callable[[Workflow], tuple[Finding, ...]]

CHECKS: tuple[Check, ...] = (
    about_made_up,
    check_operators,
    account,
    about_given,
    about_context_reads,
    about_placement,
    refused_groups,
)
"""What decides whether a workflow can be translated at all; every one runs, so that all findings come at once."""

HANDLER = "orkestra_bridge.runtime.handler.handle"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One DAG on its way: what is known, and what is still being found out elsewhere."""

    workflow: Workflow
    file: DagFile
    findings: tuple[Finding, ...]
    lowered: Lowered | None = None
    package: LambdaPackage | None = None
    preflight: Future[tuple[Finding, ...]] | None = None
    layer: Future[LayerResult] | None = None
    of_tasks: tuple[OfTasks, ...] = ()

    @property
    def ready(self) -> bool:
        """Return True if nothing about the DAG is still being found out."""
        of_tasks = (future for each in self.of_tasks for future in (each.preflight, each.layer))
        return all(future is None or future.done() for future in (self.preflight, self.layer, *of_tasks))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What became of a draft: its part of the report, the files of its folder, and its layers; none if it was refused.

    ``beside`` are files that are not in its folder, relative to OUT.
    """

    report: DagReport
    files: Sequence[Entry] = ()
    beside: tuple[str, ...] = ()
    layers: tuple[Layer, ...] = ()


def internal_error(workflow: Workflow, fault: Exception) -> Finding:
    """Return the finding about a fault of ours; to be called where the fault is handled."""
    if os.environ.get("ORKESTRA_DEBUG"):
        traceback.print_exc()
    return INTERNAL_ERROR.at(
        workflow.span,
        f"internal error: {type(fault).__name__}: {fault}",
        "this is a fault of orkestra-bridge: please report it with the DAG; ORKESTRA_DEBUG=1 shows where",
        dag_id=workflow.dag_id,
    )


@final
class Drafter:
    """Makes drafts and finishes them; a context manager that ends its processes.

    Args:
        listed: The requirements files, which decide about versions.
        loaded: The DAGs that are known when one is drafted that refers to them.
        closures: The files of each DAG.
    """

    def __init__(
        self,
        options: ConvertOptions,
        environment: Environment,
        output: Output,
        around: Surroundings,
        *,
        listed: Listed,
        loaded: Loaded,
        closures: Closures,
    ) -> None:
        self._options = options
        self._environment = environment
        self._output = output
        self._listed = listed
        self._loaded = loaded
        self._closures = closures
        self._preflight = Preflight(environment, options.cache, values=around.values)
        skip = options.layers == "skip"
        self._layers = Layers(options.target, options.cache, skip=skip)
        preflight = TaskPreflight(
            environment, self._preflight, options.cache, values=around.values, skip=skip
        )
        self._task_packages = TaskPackaging(preflight, self._layers)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(self._preflight)
        self._stack.enter_context(self._layers)
        self._stack.enter_context(self._task_packages)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def warm(self, files: Iterable[DagFile]) -> None:
        """Begin with what does not need the representation of these files: load what their packages will probably be."""
        self._preflight.warm()
        for file in files:
            self._preflight.expect(file, partial(self._probable_package, file))

    def _probable_package(self, file: DagFile) -> LambdaPackage:
        """Return the package that a DAG of this file has if it needs nothing that only loading it shows."""
        unknown = Workflow(
            dag_id="",
            span=SourceSpan(file.relative, 1),
            airflow_version=self._environment.airflow_version,
            schedule=Schedule(kind=ScheduleKind.NONE),
            tasks=(),
        )
        listed = self._listed.of_dag("")
        return build_package(
            unknown, file, self._environment, self._options.target, listed, closures=self._closures
        ).package

    def draft(self, workflow: Workflow, file: DagFile) -> Draft:
        """Return the draft of a DAG; a fault of ours becomes a finding about it and leaves the other DAGs alone."""
        try:
            return self._draft(workflow, file)
        except BridgeError:
            raise
        except Exception as fault:  # noqa: BLE001 - whatever it is, it is ours and concerns one DAG
            finding = internal_error(workflow, fault)
            return Draft(workflow=workflow, file=file, findings=_displayed([finding], file))

    def _draft(self, workflow: Workflow, file: DagFile) -> Draft:
        workflow = place(configure(workflow, self._options.overrides), self._options.targets)
        if not loads_in_function(workflow):
            workflow = alone(workflow)
        findings = [finding for check in CHECKS for finding in self._allowed(check(workflow))]
        findings.extend(self._allowed(about_targets(workflow, self._options.targets)))
        findings.extend(self._allowed(self._loaded.about(workflow)))
        if refuses(tuple(findings)):
            return Draft(workflow=workflow, file=file, findings=_displayed(findings, file))
        lowered = lower(workflow, self._options.joins, maps=self._options.maps)
        findings.extend(self._allowed(lowered.findings))
        workflow = lowered.workflow
        built = build_package(
            workflow,
            file,
            self._environment,
            self._options.target,
            self._listed.of_dag(workflow.dag_id),
            others=self._others(workflow),
            of_tasks=self._listed.of_tasks(workflow),
            closures=self._closures,
        )
        about_package = self._allowed((*built.findings, *self._task_packages.about_unmet(built)))
        checked = loads_in_function(workflow) and not refuses((*findings, *about_package))
        return Draft(
            workflow=replace(workflow, needs=cluster_needs(workflow, built.needs)),
            file=file,
            findings=(*_displayed(findings, file), *about_package),
            lowered=lowered,
            package=built.package,
            preflight=self._preflight.submit(workflow, file, built.package) if checked else None,
            layer=self._layers.submit(built.package.requirements) if checked else None,
            of_tasks=self._task_packages.submit(workflow, file, built.package) if checked else (),
        )

    def _others(self, workflow: Workflow) -> dict[str, Workflow]:
        """Return the DAGs that this one calls; one that nobody knows is taken to have the same schedule."""
        unknown = replace(workflow, tasks=())
        return {dag_id: self._loaded.dags.get(dag_id, unknown) for dag_id in other_dags(workflow)}

    def finish(self, draft: Draft) -> Finished:
        """Wait for what is still running, and write the DAG's files if nothing refuses it."""
        lacking = self._lacking(draft)
        if lacking and not needs_function(draft.workflow):
            again = self._draft(place_in_airflow(draft.workflow, lacking), draft.file)
            about = self._allowed([about_airflow(draft.workflow, lacking)])
            return self._finish(replace(again, findings=(*again.findings, *about)), None)
        layer = draft.layer.result() if draft.layer else None
        too_large = layer.layer if layer and is_too_large(layer) else None
        if too_large and works_without_function(draft.workflow):
            reason = (
                f"its third-party packages have {too_large.size // MEGABYTE} MB, Lambda takes {LIMIT_TEXT}"
            )
            return self._finish(self._draft(place_all(draft.workflow, reason), draft.file), None)
        contained = in_containers(draft.workflow, draft.of_tasks)
        if contained is not draft.workflow:
            return self._finish(self._draft(contained, draft.file), layer)
        return self._finish(draft, layer)

    def _lacking(self, draft: Draft) -> Finding | None:
        """Return what the facade lacks to load a DAG's file, None if it lacks nothing."""
        found = draft.preflight.result() if draft.preflight else ()
        return next((each for each in found if each.id == FACADE_LACKS.id), None)

    def _finish(self, draft: Draft, layer: LayerResult | None) -> Finished:
        workflow, lowered, package = draft.workflow, draft.lowered, draft.package
        findings = [
            *draft.findings,
            *self._allowed(_with_way_out(draft)),
            *self._allowed(
                replace(each, dag_id=workflow.dag_id, file=draft.file.display)
                for each in (layer.findings if layer else ())
            ),
            *self._allowed(about_task_packages(draft.of_tasks, draft.workflow, draft.file)),
        ]
        files: Sequence[Entry] = ()
        beside: tuple[str, ...] = ()
        if lowered is None or package is None or refuses(tuple(findings)):
            view, about_schedule = schedule_view(workflow)
            findings.extend(self._allowed(_displayed(about_schedule, draft.file)))
        else:
            images = self._images(workflow, package)
            stack = _stack(draft, lowered, package, layer, images=images, options=self._options)
            view = stack.schedule
            findings.extend(self._allowed(_displayed(stack.findings, draft.file)))
            if not refuses(tuple(findings)):
                files = emit(self._output, workflow, lowered, package, stack, images=images)
                note = note_of(workflow, self._environment.python, draft.file.root)
                if note is not None:
                    beside = (note_path(workflow.dag_id),)
                    self._output.write(beside[0], note)
                for each in _layers(draft, layer):
                    self._output.write(f"{LAYERS}/{each.key_hash}.zip", each.path.read_bytes())
        report = DagReport(
            dag_id=workflow.dag_id,
            file=draft.file.display,
            line=workflow.span.line,
            tasks=len(workflow.tasks),
            states=lowered.states if lowered else 0,
            transitions=lowered.transitions if lowered else 0,
            machines=1 + len(lowered.parts) if lowered else 0,
            relaxed_edges=len(lowered.decomposition.relaxed) if lowered else 0,
            schedule=view.to_json(),
            needs=_shown_needs(workflow.needs, draft.file),
            requirements=_shown_requirements(package),
            findings=_placed(findings, draft),
        )
        return Finished(report=report, files=files, beside=beside, layers=_layers(draft, layer))

    def _images(self, workflow: Workflow, package: LambdaPackage) -> tuple[BuildContext, ...]:
        """Return the build contexts of the DAG's images; none if its tasks need none that are built."""
        builds, target = builds_of(workflow), self._options.target
        return tuple(
            airflow_context(
                package,
                workflow,
                self._environment,
                target,
                build_suffix(builds, each),
                packages=each.packages,
            )
            if each.airflow
            else build_context(
                package,
                target,
                each.base,
                build_suffix(builds, each),
                environments=environments_of(workflow, each.packages) if each.base is None else (),
                packages=each.packages,
            )
            for each in builds
        )

    def _allowed(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        return apply_allowances(findings, self._options.allow)


def _with_way_out(draft: Draft) -> Iterable[Finding]:
    """Return what preflight has found; of what the facade lacks, why Airflow itself does not run the DAG's tasks."""
    hindrances = ", ".join(needs_function(draft.workflow))
    for each in draft.preflight.result() if draft.preflight else ():
        more = (
            f"; Airflow itself could run its tasks in containers, but for {hindrances}" if hindrances else ""
        )
        yield replace(each, remedy=f"{each.remedy}{more}") if each.id == FACADE_LACKS.id else each


def _placed(findings: Iterable[Finding], draft: Draft) -> tuple[Finding, ...]:
    """Return the findings of a DAG, those about its tasks with the place of the DAG."""
    place = f"{draft.file.display}:{draft.workflow.span.line}"
    return tuple(replace(each, dag_place=place) if each.task_id else each for each in findings)


def _shown_requirements(package: LambdaPackage | None) -> tuple[str, ...]:
    """Return what a package needs on AWS, with its versions."""
    listed = package.requirements if package else ()
    return tuple(f"{each.name}=={each.version}" for each in listed if not each.elsewhere)


def _shown_needs(needs: Needs, file: DagFile) -> Needs:
    """Return needs with paths as the user would type them."""

    def shown(needed: tuple[Need, ...]) -> tuple[Need, ...]:
        return tuple(replace(need, file=file.shown(need.file)) for need in needed)

    return Needs(
        variables=shown(needs.variables),
        connections=shown(needs.connections),
        environment=shown(needs.environment),
        kubernetes_secrets=shown(needs.kubernetes_secrets),
        kubernetes_configmaps=shown(needs.kubernetes_configmaps),
        unknown=tuple(replace(each, file=file.shown(each.file)) for each in needs.unknown),
    )


def _displayed(findings: Iterable[Finding], file: DagFile) -> tuple[Finding, ...]:
    """Return findings about the representation with paths as the user would type them."""
    return tuple(replace(finding, file=file.shown(finding.file)) for finding in findings)


def _layers(draft: Draft, layer: LayerResult | None) -> tuple[Layer, ...]:
    """Return the layers of a DAG: its own, and those of tasks."""
    found = (layer, *(each.built for each in draft.of_tasks))
    return tuple(each.layer for each in found if each is not None and each.layer is not None)


def _stack(
    draft: Draft,
    lowered: Lowered,
    package: LambdaPackage,
    layer: LayerResult | None,
    *,
    images: tuple[BuildContext, ...],
    options: ConvertOptions,
) -> Stack:
    workflow = draft.workflow
    function = function_asset(workflow.dag_id, package.tree_hash, options.target, options.overrides)
    asset = LayerAsset(key_hash=layer.layer.key_hash) if layer and layer.layer else None
    return build_stack(
        workflow,
        lowered.definition,
        function,
        asset,
        options.target,
        parts=lowered.parts,
        images=[ImageAsset(tag=each.tag, suffix=each.suffix) for each in images],
        task_layers={
            each.packages.given.number: LayerAsset(key_hash=each.built.layer.key_hash)
            for each in draft.of_tasks
            if each.built is not None and each.built.layer is not None
        },
    )


def function_asset(dag_id: str, key_hash: str, target: Target, overrides: Overrides) -> FunctionAsset:
    """Return the function of a DAG."""
    return FunctionAsset(
        logical=OF_DAG,
        key_hash=key_hash,
        handler=HANDLER,
        memory=min(for_dag(overrides.memory, dag_id) or target.memory, LAMBDA_MEMORY),
        timeout=min(for_dag(overrides.timeout, dag_id) or LONGEST, LONGEST),
    )
