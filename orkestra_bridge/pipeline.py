"""The whole translation on one screen.

    DAG files --frontend--> Workflow --checks--> --lowering--> machine --packaging--> zip --stack--> template

The frontend's worker process loads DAG files while this process translates the ones before them and the preflight
process loads their packages; so on two cores a conversion takes little longer than loading the files does.
"""

from __future__ import annotations

import os
import traceback
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, final

from orkestra_bridge.diagnostics import refuses
from orkestra_bridge.emit import emit
from orkestra_bridge.errors import BridgeError
from orkestra_bridge.frontend.discovery import discover, ignore_syntax
from orkestra_bridge.frontend.environments import resolve_environment
from orkestra_bridge.frontend.loader import Frontend
from orkestra_bridge.ir.serialize import render
from orkestra_bridge.lowering.groups import refused_groups
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.lowering.rules import INTERNAL_ERROR
from orkestra_bridge.operators.registry import check_operators
from orkestra_bridge.output import LAYERS, Output
from orkestra_bridge.packaging.build import build_package
from orkestra_bridge.packaging.layer import Layers
from orkestra_bridge.packaging.preflight import Preflight
from orkestra_bridge.passes.accounting import account
from orkestra_bridge.report import DagReport, Report
from orkestra_bridge.stack.model import FunctionAsset, LayerAsset
from orkestra_bridge.stack.schedule import schedule_view
from orkestra_bridge.stack.template import build_stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future
    from pathlib import Path

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.frontend.model import DagFile, Environment
    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.lowering.machine import Lowered
    from orkestra_bridge.options import ConvertOptions
    from orkestra_bridge.packaging.model import LambdaPackage, LayerResult
    from orkestra_bridge.stack.model import Stack

    Check = Callable[[Workflow], tuple[Finding, ...]]
    OnFile = Callable[[int, int, str], None]

CHECKS: tuple[Check, ...] = (check_operators, account, refused_groups)
"""What decides whether a workflow can be translated at all; every one runs, so that all findings come at once."""

HANDLER = "orkestra_bridge.runtime.handler.handle"
LAMBDA_TIMEOUT = 900
"""Seconds; Airflow has no limit of its own, so the function gets all that Lambda has."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """The result of `convert`: what there is to say, where the output is, and what parsed it."""

    report: Report
    out: Path
    environment: Environment

    @property
    def translated(self) -> tuple[str, ...]:
        """The ids of the DAGs that were translated, in the order of the report."""
        return tuple(dag.dag_id for dag in self.report.dags if dag.verdict == "translated")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """One DAG on its way: what is known, and what is still being found out elsewhere."""

    workflow: Workflow
    file: DagFile
    findings: tuple[Finding, ...]
    lowered: Lowered | None = None
    package: LambdaPackage | None = None
    preflight: Future[tuple[Finding, ...]] | None = None
    layer: Future[LayerResult] | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Tools:
    """What every DAG's translation works with."""

    options: ConvertOptions
    environment: Environment
    output: Output
    preflight: Preflight
    layers: Layers


@final
@dataclass(slots=True)
class _Collected:
    """What has been found so far."""

    dags: list[DagReport] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def convert(options: ConvertOptions, *, on_file: OnFile | None = None) -> Conversion:
    """Translate all DAGs below the given paths and write the output.

    Args:
        options: What to translate, for which target, and where to.
        on_file: Called with (files done, files in all, path) after each file.

    Returns:
        The report; refused DAGs are in it, with the findings that say why, and leave no output.

    Raises:
        UsageError: A path does not exist.
        OutputError: OUT cannot be written; nothing that was in it is lost.
        EnvironmentSetupError: There is no Airflow to parse with.
    """
    environment = resolve_environment(options.airflow, options.cache)
    discovery = discover(options.paths, syntax=ignore_syntax(environment))
    found = _Collected(findings=list(discovery.findings))
    with ExitStack() as stack:
        tools = _Tools(
            options=options,
            environment=environment,
            output=stack.enter_context(Output(options.out)),
            preflight=stack.enter_context(Preflight(environment, options.cache)),
            layers=stack.enter_context(Layers(options.target, options.cache, skip=options.layers == "skip")),
        )
        frontend = stack.enter_context(
            Frontend(
                environment,
                parse_timeout=options.parse_timeout,
                cache=options.cache,
                on_start=tools.preflight.warm,
            )
        )
        waiting: deque[_Draft] = deque()
        for done, loaded in enumerate(frontend.load(discovery.files), start=1):
            found.findings.extend(loaded.findings)
            waiting.extend(_guarded(workflow, loaded.file, tools) for workflow in loaded.workflows)
            while waiting and _ready(waiting[0]):
                found.dags.append(_finish(waiting.popleft(), tools))
            if on_file:
                on_file(done, len(discovery.files), loaded.file.display)
        found.dags.extend(_finish(draft, tools) for draft in waiting)
        report = Report(dags=tuple(found.dags), findings=tuple(found.findings))
        tools.output.write("report.json", render(report.to_json(), sort=False))
        tools.output.commit()
    return Conversion(report=report, out=options.out, environment=environment)


def _guarded(workflow: Workflow, file: DagFile, tools: _Tools) -> _Draft:
    """Return the draft of a DAG; a fault of ours becomes a finding about it and leaves the other DAGs alone."""
    try:
        return _draft(workflow, file, tools)
    except BridgeError:
        raise
    except Exception as fault:  # noqa: BLE001 - whatever it is, it is ours and concerns one DAG
        finding = INTERNAL_ERROR.at(
            workflow.span,
            f"internal error: {type(fault).__name__}: {fault}",
            "this is a fault of orkestra-bridge: please report it with the DAG; ORKESTRA_DEBUG=1 shows where",
            dag_id=workflow.dag_id,
        )
        if os.environ.get("ORKESTRA_DEBUG"):
            traceback.print_exc()
        return _Draft(workflow=workflow, file=file, findings=_displayed([finding], file))


def _draft(workflow: Workflow, file: DagFile, tools: _Tools) -> _Draft:
    findings = [finding for check in CHECKS for finding in check(workflow)]
    if refuses(tuple(findings)):
        return _Draft(workflow=workflow, file=file, findings=_displayed(findings, file))
    lowered = lower(workflow, tools.options.joins)
    findings.extend(lowered.findings)
    built = build_package(workflow, file, tools.environment, tools.options.target)
    refused = refuses((*findings, *built.findings))
    return _Draft(
        workflow=workflow,
        file=file,
        findings=(*_displayed(findings, file), *built.findings),
        lowered=lowered,
        package=built.package,
        preflight=None if refused else tools.preflight.submit(workflow, file, built.package),
        layer=None if refused else tools.layers.submit(built.package.requirements),
    )


def _displayed(findings: Iterable[Finding], file: DagFile) -> tuple[Finding, ...]:
    """Return findings about the representation with paths as the user would type them."""
    prefix = file.display.removesuffix(file.relative)
    return tuple(replace(finding, file=f"{prefix}{finding.file}") for finding in findings)


def _ready(draft: _Draft) -> bool:
    return all(future is None or future.done() for future in (draft.preflight, draft.layer))


def _finish(draft: _Draft, tools: _Tools) -> DagReport:
    """Wait for what is still running, write the DAG's files if nothing refuses it, and return its report."""
    workflow, lowered, package = draft.workflow, draft.lowered, draft.package
    layer = draft.layer.result() if draft.layer else None
    findings = [
        *draft.findings,
        *(draft.preflight.result() if draft.preflight else ()),
        *(
            replace(each, dag_id=workflow.dag_id, file=draft.file.display)
            for each in (layer.findings if layer else ())
        ),
    ]
    if lowered is None or package is None or refuses(tuple(findings)):
        view, about_schedule = schedule_view(workflow)
        findings.extend(_displayed(about_schedule, draft.file))
    else:
        stack = _stack(workflow, lowered, package, layer, tools.options)
        view = stack.schedule
        findings.extend(_displayed(stack.findings, draft.file))
        if not refuses(tuple(findings)):
            emit(tools.output, workflow, lowered.definition, package, stack.template)
            if layer and layer.layer:
                tools.output.write(f"{LAYERS}/{layer.layer.key_hash}.zip", layer.layer.path.read_bytes())
    return DagReport(
        dag_id=workflow.dag_id,
        file=draft.file.display,
        line=workflow.span.line,
        tasks=len(workflow.tasks),
        states=lowered.states if lowered else 0,
        transitions=lowered.transitions if lowered else 0,
        relaxed_edges=len(lowered.decomposition.relaxed) if lowered else 0,
        schedule=view.to_json(),
        requirements=tuple(f"{item.name}=={item.version}" for item in package.requirements)
        if package
        else (),
        findings=tuple(findings),
    )


def _stack(
    workflow: Workflow,
    lowered: Lowered,
    package: LambdaPackage,
    layer: LayerResult | None,
    options: ConvertOptions,
) -> Stack:
    function = FunctionAsset(
        logical="Tasks",
        key_hash=package.tree_hash,
        handler=HANDLER,
        memory=options.target.memory,
        timeout=LAMBDA_TIMEOUT,
    )
    asset = LayerAsset(key_hash=layer.layer.key_hash) if layer and layer.layer else None
    return build_stack(workflow, lowered.definition, function, asset, options.target)
