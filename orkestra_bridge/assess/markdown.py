"""The assessment as Markdown, for a pull request or a wiki."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    from collections.abc import Iterable, Iterator

    from orkestra_bridge.assess.model import Assessment, DagAssessment
    from orkestra_bridge.diagnostics import Finding


def markdown(assessment: Assessment) -> str:
    """Return the report: a table of DAGs, then a section for each of them."""
    lines = ["# Assessment", "", totals_text(assessment), "", month_text(assessment), ""]
    lines += ["| DAG | verdict | readiness | tasks | schedule |", "|---|---|---:|---|---|"]
    for dag in assessment.dags:
        cells = (dag.dag_id, dag.verdict, f"{dag.readiness}", runs_text(dag), schedule_text(dag))
        lines.append(_row(cells))
    for dag in assessment.dags:
        lines += ["", *_dag(dag)]
    if assessment.findings:
        lines += ["", "## Files", "", *_findings(assessment.findings)]
    return "\n".join(lines) + "\n"


def _dag(dag: DagAssessment) -> Iterator[str]:
    yield f"## {_plain(dag.dag_id)}"
    yield ""
    yield f"`{dag.file}:{dag.line}`, {dag.verdict}, readiness {dag.readiness} of 100"
    yield ""
    if dag.upcoming:
        yield f"- next runs: {', '.join(dag.upcoming)}"
    if dag.states:
        yield f"- machine: {limits_text(dag)}"
        yield f"- cost: {cost_text(dag)}"
    yield f"- arguments: {attributes_text(dag)}"
    if dag.findings:
        yield ""
        yield from _findings(dag.findings)


def _findings(findings: Iterable[Finding]) -> Iterator[str]:
    yield "| id | severity | place | task | what | remedy |"
    yield "|---|---|---|---|---|---|"
    order = list(Severity)
    for each in sorted(findings, key=lambda finding: order.index(finding.severity)):
        severity = f"{each.severity.value} (allowed)" if each.allowed else each.severity.value
        yield _row((each.id, severity, f"`{each.place}`", each.task_id or "", each.message, each.remedy))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(_plain(cell) for cell in cells)} |"


def _plain(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
