"""The assessment as one HTML page that needs no other file, no network and no JavaScript."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from orkestra_bridge import __version__
from orkestra_bridge.assess.svg import svg
from orkestra_bridge.assess.words import (
    RUNS,
    attributes_text,
    cost_text,
    limits_text,
    month_text,
    reasons_text,
    runs_text,
    schedule_text,
)
from orkestra_bridge.diagnostics import Severity
from orkestra_bridge.report import TOOL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orkestra_bridge.assess.model import Assessment, DagAssessment
    from orkestra_bridge.diagnostics import Finding

_VERDICTS = ("blocked", "differs", "ready")
_SHOWN = 4
"""Findings in a line of the overview."""


def html(assessment: Assessment, *, source_url: str = "") -> str:
    """Return the page.

    ``source_url`` is what a place in the source links to, with ``{file}`` and ``{line}`` filled in; without it, places
    are relative links to the files.
    """
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{TOOL}: assessment</title><style>{_read('page.css')}</style></head><body>",
        *_head(assessment),
        *_filters(),
        *_overview(assessment),
        *(part for dag in _ordered(assessment) for part in _dag(dag, source_url)),
        *_files(assessment, source_url),
        f"<script>{_read('page.js')}</script></body></html>\n",
    ]
    return "".join(parts)


def _read(name: str) -> str:
    return (files("orkestra_bridge.assess") / name).read_text(encoding="utf-8")


def _head(assessment: Assessment) -> Iterator[str]:
    summary = assessment.summary()
    yield f"<h1>Assessment of {summary['dags']} DAGs</h1>"
    yield (
        f"<p>{TOOL} {__version__}, DAG files loaded by Airflow {escape(assessment.airflow_version)}. "
        "Packages are not checked here: <code>orkestra-bridge convert</code> does that.</p>"
    )
    yield f"<p>{escape(month_text(assessment))}</p>"
    yield '<ul class="tiles">'
    for name in _VERDICTS[::-1]:
        yield f'<li><b class="{name}">{summary[name]}</b>{name}</li>'
    for name in ("tasks", "errors", "warnings", "infos"):
        yield f"<li><b>{summary[name]}</b>{'notes' if name == 'infos' else name}</li>"
    yield "</ul>"
    yield '<p class="key">Tasks by how they run:'
    for name in dict.fromkeys(run for dag in assessment.dags for run in dag.runs):
        yield f' <span><i class="{escape(name)}"></i>{escape(RUNS.get(name, name))}</span>'
    yield "</p>"


def _filters() -> Iterator[str]:
    yield '<form class="filters" hidden onsubmit="return false">'
    yield '<input type="search" placeholder="DAG, task, operator, finding" aria-label="Search">'
    for name in _VERDICTS:
        yield f'<label><input type="checkbox" name="verdict" value="{name}" checked> {name}</label>'
    yield '<label><input type="checkbox" name="notes"> notes</label><output></output></form>'


def _ordered(assessment: Assessment) -> list[DagAssessment]:
    """Return the DAGs, those first that need most work."""
    return sorted(assessment.dags, key=lambda each: (each.readiness, each.dag_id))


def _overview(assessment: Assessment) -> Iterator[str]:
    names = ("DAG", "Verdict", "Readiness", "Findings", "Tasks", "Schedule")
    titles = "".join(f"<th>{title}</th>" for title in names)
    yield f'<table class="known"><thead><tr>{titles}</tr></thead><tbody>'
    for dag in _ordered(assessment):
        yield (
            f'<tr {_data(dag)}><td><a href="#{_anchor(dag)}">{_breakable(dag.dag_id)}</a></td>'
            f'<td class="{dag.verdict}">{dag.verdict}</td>'
            f'<td class="number" data-label="Readiness">{dag.readiness}</td>'
            f'<td data-label="Findings">{_heaviest(dag)}</td>'
            f'<td data-label="Tasks">{escape(runs_text(dag))}</td>'
            f'<td data-label="Schedule">{escape(schedule_text(dag))}</td></tr>'
        )
    yield "</tbody></table>"


def _heaviest(dag: DagAssessment) -> str:
    """Return the findings that decide about the verdict, by their ids; their titles are shown when one points at them."""
    decisive = [each for each in dag.reasons if each.severity is not Severity.INFO]
    shown = [
        f'<span class="{each.severity.value}" title="{escape(each.title)}">{each.id}</span>'
        for each in decisive[:_SHOWN]
    ]
    more = f" and {len(decisive) - _SHOWN} more" if len(decisive) > _SHOWN else ""
    return " ".join(shown) + more


def _breakable(name: str) -> str:
    """Return a name that may be broken after its underscores."""
    return escape(name).replace("_", "_<wbr>")


def _dag(dag: DagAssessment, source_url: str) -> Iterator[str]:
    opened = " open" if dag.verdict != "ready" else ""
    yield f'<details class="dag" id="{_anchor(dag)}" {_data(dag)}{opened}><summary><h2>{_breakable(dag.dag_id)}</h2> '
    yield f'<span class="score {dag.verdict}">{dag.verdict} · {dag.readiness}/100</span></summary>'
    facts = [
        ("file", _link(f"{dag.file}:{dag.line}", source_url)),
        ("readiness", escape(f"{dag.readiness}/100: {reasons_text(dag) or 'nothing differs'}")),
        ("tasks", escape(runs_text(dag))),
        ("schedule", escape(schedule_text(dag))),
        ("next runs", escape(", ".join(dag.upcoming) or "none known")),
        ("machine", escape(limits_text(dag)) if dag.states else "none: it is blocked"),
        ("cost", escape(cost_text(dag)) or "-"),
        ("arguments", escape(attributes_text(dag))),
    ]
    yield f"<dl>{''.join(f'<dt>{name}</dt><dd>{value}</dd>' for name, value in facts)}</dl>"
    yield f'<div class="picture">{svg(dag)}</div>'
    yield from _findings(dag.findings, source_url)
    yield "</details>"


def _files(assessment: Assessment, source_url: str) -> Iterator[str]:
    if assessment.findings:
        yield "<h2>Files</h2>"
        yield from _findings(assessment.findings, source_url)


def _findings(findings: Iterable[Finding], source_url: str) -> Iterator[str]:
    order = list(Severity)
    ordered = sorted(findings, key=lambda finding: order.index(finding.severity))
    if not ordered:
        return
    titles = "".join(f"<th>{title}</th>" for title in ("Finding", "Where", "What", "Remedy"))
    yield f'<table class="findings"><thead><tr>{titles}</tr></thead><tbody>'
    for each in ordered:
        allowed = " (allowed)" if each.allowed else ""
        task = f"<br>{escape(each.task_id)}" if each.task_id else ""
        yield (
            f'<tr class="{each.severity.value}"><td>{each.id}<br>{each.severity.value}{allowed}</td>'
            f"<td>{_link(each.place, source_url)}{task}</td>"
            f'<td>{escape(each.message)}</td><td data-label="Remedy">{escape(each.remedy)}</td></tr>'
        )
    yield "</tbody></table>"


def _link(place: str, source_url: str) -> str:
    file, _, line = place.rpartition(":")
    if not line.isdigit():
        file, line = place, "1"
    target = source_url.replace("{file}", file).replace("{line}", line) if source_url else file
    return f'<a href="{escape(target)}"><code>{escape(place)}</code></a>'


def _anchor(dag: DagAssessment) -> str:
    return f"dag-{escape(dag.dag_id)}"


def _data(dag: DagAssessment) -> str:
    words = [
        dag.dag_id,
        dag.file,
        *(task.task_id for task in dag.tasks),
        *(task.operator for task in dag.tasks),
    ]
    words += [finding.id for finding in dag.findings]
    return f'data-dag data-verdict="{dag.verdict}" data-words="{escape(" ".join(words).lower())}"'
