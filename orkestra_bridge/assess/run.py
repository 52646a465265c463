"""Loads the DAG files and looks at each DAG: everything that `convert` does before it packages."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, final

from orkestra_bridge.assess.cost import Assumptions, cost_of, runs_per_month
from orkestra_bridge.assess.model import Assessment, DagAssessment, MachineView, TaskView
from orkestra_bridge.assess.readiness import readiness
from orkestra_bridge.assess.upcoming import upcoming
from orkestra_bridge.diagnostics import Verdict, refuses
from orkestra_bridge.drafting import CHECKS, internal_error
from orkestra_bridge.frontend.opening import open_project
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.lowering.payload import sized
from orkestra_bridge.operators.registry import family_of
from orkestra_bridge.options import Overrides
from orkestra_bridge.passes.configured import configure, unused_patterns
from orkestra_bridge.passes.other_dags import Loaded
from orkestra_bridge.passes.placement import place
from orkestra_bridge.passes.targets import about_targets
from orkestra_bridge.policy import apply_allowances, check_allowances
from orkestra_bridge.stack.schedule import schedule_view

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.frontend.model import DagFile
    from orkestra_bridge.ir.model import Task, Workflow
    from orkestra_bridge.options import AirflowSource, Joins, Project, RunsIn
    from orkestra_bridge.policy import Allowance
    from orkestra_bridge.stack.model import ScheduleView

    OnFile = Callable[[int, int, str], None]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AssessOptions:
    """What to assess, as in `ConvertOptions`; ``now`` is the time from which the next runs are counted."""

    paths: tuple[Path, ...]
    airflow: AirflowSource
    project: Project
    parse_timeout: float
    joins: Joins
    cache: Path | None
    allow: tuple[Allowance, ...] = ()
    targets: Mapping[str, RunsIn] = field(default_factory=dict)
    overrides: Overrides = field(default_factory=Overrides)
    assumptions: Assumptions = field(default_factory=lambda: Assumptions(durations={}))
    now: datetime | None = None


def assess(options: AssessOptions, *, on_file: OnFile | None = None) -> Assessment:
    """Return what is known about all DAGs below the given paths.

    Raises:
        UsageError: A path does not exist, or something is allowed that cannot be.
        EnvironmentSetupError: There is no Airflow to parse with.
    """
    check_allowances(options.allow)
    opened = open_project(options.paths, options.airflow, options.project, options.cache)
    files = opened.discovery.files
    now = options.now or datetime.now(timezone.utc)
    dags: list[DagAssessment] = []
    known = Loaded()
    held: list[tuple[Workflow, DagFile]] = []
    findings = list(opened.discovery.findings)

    def take(workflow: Workflow, file: DagFile) -> None:
        dag, faults = _guarded(workflow, file, options, now, known)
        dags.extend(dag)
        findings.extend(faults)

    with opened.frontend(options.parse_timeout) as frontend:
        for done, loaded in enumerate(frontend.load(files), start=1):
            findings.extend(apply_allowances(loaded.findings, options.allow))
            known.learn(loaded.workflows)
            for workflow in loaded.workflows:
                if known.lacks(workflow):
                    held.append((workflow, loaded.file))
                else:
                    take(workflow, loaded.file)
            if on_file:
                on_file(done, len(files), loaded.file.display)
    for workflow, file in held:
        take(workflow, file)
    if not refuses(tuple(findings)):  # else there may be DAGs that nobody has seen
        findings.extend(
            apply_allowances(unused_patterns(options.overrides, known.dags.values()), options.allow)
        )
    return Assessment(
        airflow_version=opened.environment.airflow_version, dags=tuple(dags), findings=tuple(findings)
    )


def _guarded(
    workflow: Workflow, file: DagFile, options: AssessOptions, now: datetime, known: Loaded
) -> tuple[tuple[DagAssessment, ...], tuple[Finding, ...]]:
    """Return what is known about a DAG; a fault of ours becomes a finding and leaves the other DAGs alone."""
    try:
        return (_dag(workflow, file, options, now, known),), ()
    except Exception as fault:  # noqa: BLE001 - whatever it is, it is ours and concerns one DAG
        return (), tuple(_placed([internal_error(workflow, fault)], workflow, file))


def _dag(
    workflow: Workflow, file: DagFile, options: AssessOptions, now: datetime, known: Loaded
) -> DagAssessment:
    workflow = place(configure(workflow, options.overrides), options.targets)
    checks = (*CHECKS, known.about)
    found = [*apply_allowances(about_targets(workflow, options.targets), options.allow)]
    found.extend(finding for check in checks for finding in apply_allowances(check(workflow), options.allow))
    lowered = None if refuses(tuple(found)) else lower(workflow, options.joins)
    view, about_schedule = schedule_view(workflow)
    found.extend(apply_allowances((*(lowered.findings if lowered else ()), *about_schedule), options.allow))
    findings = tuple(_placed(found, workflow, file))
    number, reasons = readiness(findings)
    tasks = tuple(_task(task, file) for task in workflow.tasks)
    return DagAssessment(
        dag_id=workflow.dag_id,
        file=file.display,
        line=workflow.span.line,
        tasks=tasks,
        schedule=view.to_json(),
        upcoming=_upcoming(workflow, view, now),
        readiness=number,
        reasons=reasons,
        states=lowered.states if lowered else 0,
        transitions=lowered.transitions if lowered else 0,
        machines=tuple(
            MachineView(
                name=name,
                definition_bytes=weight.size,
                history_events=weight.events,
                state_data_bytes=weight.data,
            )
            for name, weight in (lowered.weights.items() if lowered else ())
        ),
        inline_limit=sized(workflow).inline_limit,
        cost=cost_of(
            workflow,
            lowered.transitions,
            {task.task_id: task.runs for task in tasks},
            runs_per_month(workflow, view, now),
            options.assumptions,
        )
        if lowered
        else None,
        attributes=_attributes(workflow, findings),
        findings=findings,
    )


def _upcoming(workflow: Workflow, view: ScheduleView, now: datetime) -> tuple[str, ...]:
    return () if view.state == "DISABLED" else upcoming(workflow, view, now)


def _task(task: Task, file: DagFile) -> TaskView:
    family = family_of(task)
    return TaskView(
        task_id=task.task_id,
        operator=task.decorator or task.operator,
        runs="container" if task.container else family.runs.value if family else "refused",
        upstream=task.upstream,
        place=f"{file.shown(task.span.file)}:{task.span.line}",
        mapped=task.mapped,
    )


def _placed(findings: Iterable[Finding], workflow: Workflow, file: DagFile) -> Iterable[Finding]:
    """Yield findings with paths as the user would type them, those about tasks with the place of the DAG."""
    place = f"{file.display}:{workflow.span.line}"
    for each in findings:
        yield replace(each, file=file.shown(each.file), dag_place=place if each.task_id else None)


def _attributes(workflow: Workflow, findings: tuple[Finding, ...]) -> dict[str, int]:
    """Return how many arguments became what; one of which nothing is said is kept."""
    owners = ((None, workflow.attributes), *((task.task_id, task.attributes) for task in workflow.tasks))
    verdicts = {(each.task_id, each.attribute): each.verdict for each in findings if each.attribute}
    counts = {verdict.value: 0 for verdict in Verdict}
    for task_id, attributes in owners:
        for attribute in attributes:
            counts[verdicts.get((task_id, attribute.name), Verdict.KEPT).value] += 1
    return counts
