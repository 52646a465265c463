"""The report for the terminal: a table of DAGs, then every finding that matters, then one line of totals."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from orkestra_bridge.cli.verbosity import shown
from orkestra_bridge.diagnostics import Severity
from orkestra_bridge.frontend.missing import MISSING_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, JustifyMethod
    from rich.table import Table
    from rich.text import Text

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.pipeline import Conversion
    from orkestra_bridge.report import DagReport, Report

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_WIDTH = 80
_SHOWN_NAMES = 8
_COLUMNS: dict[str, JustifyMethod] = {
    "DAG": "left",
    "tasks": "right",
    "states": "right",
    "moves": "right",
    "schedule": "left",
    "result": "left",
}
_BETWEEN = 3
"""Characters that a table puts beside each column."""


def load_tables() -> None:
    """Import what `print_report` needs: a tenth of a second that is well spent while something else is waited for."""
    for name in ("console", "table", "text"):
        import_module(f"rich.{name}")


def print_report(conversion: Conversion) -> None:
    """Print the report to stdout, 80 columns wide where stdout is not a terminal."""
    from rich.console import Console

    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
    report = conversion.report
    if report.dags:
        console.print(_table(report.dags))
    for dag in report.dags:
        _print_needs(console, dag)
    for finding in report.all_findings():
        if finding.severity in shown():
            _print_finding(console, finding)
    _print_totals(console, report, conversion)


def _table(dags: tuple[DagReport, ...]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, justify in _COLUMNS.items():
        table.add_column(name, justify=justify, overflow="fold")
    rows = [_row(dag) for dag in dags]
    if _fits(rows):
        # One row of many lines looks the same, and takes a quarter of the time.
        table.add_row(*(Text("\n").join(column) for column in zip(*rows, strict=True)))
    else:
        for row in rows:
            table.add_row(*row)
    return table


def _row(dag: DagReport) -> list[Text]:
    from rich.text import Text

    plain = (dag.dag_id, dag.tasks, dag.states or "-", dag.transitions or "-", dag.schedule["text"])
    colour = "green" if dag.verdict == "translated" else "red"
    return [*(Text(str(each)) for each in plain), Text(dag.verdict, colour)]


def _fits(rows: list[list[Text]]) -> bool:
    """Return True if no cell of the table has to be folded, whatever is beside it."""
    titles = (len(name) for name in _COLUMNS)
    cells: Iterator[int] = (max(cell.cell_len for cell in column) for column in zip(*rows, strict=True))
    return sum(max(pair) + _BETWEEN for pair in zip(titles, cells, strict=True)) <= _WIDTH


def _print_needs(console: Console, dag: DagReport) -> None:
    """Print in one line what a DAG looks up, if it does."""
    groups = (
        ("Variables", dag.needs.variables),
        ("connections", dag.needs.connections),
        ("environment", dag.needs.environment),
        ("Kubernetes Secrets", dag.needs.kubernetes_secrets),
        ("Kubernetes ConfigMaps", dag.needs.kubernetes_configmaps),
    )
    parts = [f"{title} {_some([need.name for need in found])}" for title, found in groups if found]
    if parts:
        console.print(f"{dag.dag_id} needs {'; '.join(parts)}", soft_wrap=True, markup=False)


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN_NAMES])
    return shown if len(names) <= _SHOWN_NAMES else f"{shown} and {len(names) - _SHOWN_NAMES} more"


def _print_finding(console: Console, finding: Finding) -> None:
    from rich.text import Text

    console.print(Text(str(finding), style=_COLOURS[finding.severity]), soft_wrap=True)


def _print_totals(console: Console, report: Report, conversion: Conversion) -> None:
    summary = report.summary()
    console.print(
        f"{summary['translated']} of {summary['dags']} DAGs translated, {summary['tasks']} tasks; "
        f"{summary['errors']} errors, {summary['warnings']} warnings, {summary['infos']} notes",
        soft_wrap=True,
    )
    if report.missing:
        console.print(
            f"{len(report.missing)} names are missing: fill in {conversion.out / MISSING_FILE}, and use --env-file",
            soft_wrap=True,
        )
    console.print(
        f"output: {conversion.out}  (all findings: {conversion.out / 'report.json'})", soft_wrap=True
    )
