"""The assessment for a terminal of 80 columns."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from click import style

from orkestra_bridge.assess.words import (
    attributes_text,
    cost_text,
    limits_text,
    month_text,
    runs_text,
    schedule_text,
    totals_text,
)
from orkestra_bridge.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orkestra_bridge.assess.model import Assessment, DagAssessment
    from orkestra_bridge.diagnostics import Finding

WIDTH = 80
_LABEL = 12
_COLOURS = {"ready": "green", "differs": "yellow", "blocked": "red"}
_OF_LEVEL = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def text(assessment: Assessment, *, shown: tuple[Severity, ...] = (Severity.ERROR, Severity.WARNING)) -> str:
    """Return the report, with colours and the findings of these severities."""
    lines: list[str] = []
    for dag in assessment.dags:
        lines += [*_dag(dag, shown), ""]
    for finding in assessment.findings:
        if finding.severity in shown:
            lines += _finding(finding)
    lines += [*_summary(assessment), ""]
    lines += [*wrap(totals_text(assessment), WIDTH), *wrap(month_text(assessment), WIDTH)]
    return "\n".join(lines) + "\n"


def _dag(dag: DagAssessment, shown: tuple[Severity, ...]) -> Iterator[str]:
    right = f"{dag.verdict} {dag.readiness}/100"
    yield style(f"{dag.dag_id:<{WIDTH - len(right) - 1}} ", bold=True) + style(
        right, fg=_COLOURS[dag.verdict]
    )
    yield from _row("file", f"{dag.file}:{dag.line}")
    yield from _row("tasks", runs_text(dag))
    yield from _row("schedule", schedule_text(dag))
    if dag.upcoming:
        yield from _row("next runs", ", ".join(dag.upcoming))
    if dag.states:
        yield from _row("machine", limits_text(dag))
        yield from _row("cost", cost_text(dag))
    yield from _row("arguments", attributes_text(dag))
    label = "reasons"
    for reason in dag.reasons:
        if reason.severity in shown:
            times = f" ({reason.count} times)" if reason.count > 1 else ""
            yield from _row(label, f"{reason.id} {reason.title}{times}")
            label = ""
    label = "findings"
    for finding in dag.findings:
        if finding.severity in shown:
            yield from _finding(finding, label)
            label = ""


def _finding(finding: Finding, label: str = "") -> Iterator[str]:
    colour = _OF_LEVEL[finding.severity]
    about = f"{finding.task_id}: " if finding.task_id else ""
    shown = f"{finding.id} {finding.severity.value} {finding.place} {about}{finding.message}"
    for line in _row(label, shown):
        yield line[:_LABEL] + style(line[_LABEL:], fg=colour)
    yield from _row("", f"-> {finding.remedy}")


def _row(label: str, value: str) -> Iterator[str]:
    """Yield a labelled text, wrapped, with its further lines below the first."""
    for number, line in enumerate(wrap(value, WIDTH - _LABEL, break_on_hyphens=False) or [""]):
        yield f"  {label if number == 0 else '':<{_LABEL - 2}}{line}"


def _summary(assessment: Assessment) -> Iterator[str]:
    columns = ("DAG", "tasks", "runs", "ready", "blockers")
    rows = [
        (dag.dag_id, str(len(dag.tasks)), "+".join(dag.runs), f"{dag.readiness}", _ids(dag.blockers))
        for dag in sorted(assessment.dags, key=lambda dag: (dag.readiness, dag.dag_id))
    ]
    if not rows:
        return
    widths = [max(len(row[number]) for row in (columns, *rows)) for number in range(5)]
    widths[0] = min(widths[0], WIDTH - sum(widths[1:4]) - 20)
    for row in (columns, *rows):
        cells = [_cut(cell, width) for cell, width in zip(row, widths, strict=True)]
        line = "  ".join(
            cell.rjust(width) if number in (1, 3) else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ).rstrip()
        yield style(line, bold=row is columns)


def _cut(cell: str, width: int) -> str:
    return cell if len(cell) <= width else f"{cell[: width - 1]}…"


def _ids(findings: tuple[Finding, ...]) -> str:
    ids = dict.fromkeys(finding.id for finding in findings)
    shown = " ".join(list(ids)[:3])
    return f"{shown} …" if len(ids) > 3 else shown
