"""Measures how much of real DAG files is translated, and writes `coverage.md`.

    python docs/coverage.py --airflow-python PYTHON "Airflow 3 examples=FOLDER" "Airflow 2 examples=FOLDER@PYTHON2"

A set may name a Python of its own. The folders are not part of this project: Airflow's examples come with it, the
system tests of a provider with its source distribution. `--pythonpath` and `--env-file` are those of `convert`. Without
`--write` the page is printed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from orkestra_bridge.frontend.discovery import discover, ignore_syntax
from orkestra_bridge.frontend.environments import resolve_environment
from orkestra_bridge.frontend.loader import Frontend
from orkestra_bridge.operators.registry import family_of
from orkestra_bridge.options import AirflowSource, ConvertOptions, Project
from orkestra_bridge.passes.placement import place
from orkestra_bridge.passes.rules import NEEDS_AIRFLOW
from orkestra_bridge.pipeline import convert
from orkestra_bridge.project.surroundings import surroundings_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orkestra_bridge.ir.model import Task
    from orkestra_bridge.report import DagReport

PAGE = Path(__file__).parent / "coverage.md"
KINDS = ("lambda", "pass", "native", "container", "refused")


@dataclass(frozen=True)
class Row:
    """What became of the DAGs of a file, or of many files."""

    name: str
    dags: int
    translated: int
    tasks: Counter[str]
    why: tuple[str, ...] = ()

    def cells(self) -> str:
        """Return the row as Markdown."""
        counts = " | ".join(str(self.tasks[kind]) for kind in KINDS)
        whole = sum(self.tasks.values())
        return f"| {self.name} | {self.translated}/{self.dags} | {whole} | {counts} | {', '.join(self.why)} |"


def measure(folder: Path, options: ConvertOptions) -> list[Row]:
    """Return a row for each file below a folder that makes DAGs."""
    report = convert(options).report
    kinds = dict(_kinds(folder, options))
    by_file: dict[str, list[DagReport]] = {}
    for dag in report.dags:
        by_file.setdefault(dag.file, []).append(dag)
    return [_row(str(Path(file).relative_to(folder)), dags, kinds) for file, dags in sorted(by_file.items())]


def _row(name: str, dags: Iterable[DagReport], kinds: dict[str, Counter[str]]) -> Row:
    dags = list(dags)
    tasks = sum((_as_run(dag, kinds.get(dag.dag_id, Counter())) for dag in dags), Counter[str]())
    refused = [dag for dag in dags if dag.verdict == "refused"]
    ids = {finding.id for dag in refused for finding in dag.findings if finding.severity.value == "error"}
    return Row(name, len(dags), len(dags) - len(refused), tasks, tuple(sorted(ids)))


def _as_run(dag: DagReport, kinds: Counter[str]) -> Counter[str]:
    """Return how the tasks run, where it takes the package to find out that Airflow itself has to run them."""
    if not any(finding.id == NEEDS_AIRFLOW.id for finding in dag.findings):
        return kinds
    return Counter({**kinds, "lambda": 0, "container": kinds["lambda"] + kinds["container"]})


def _kinds(folder: Path, options: ConvertOptions) -> Iterator[tuple[str, Counter[str]]]:
    """Yield the id of each DAG and how many of its tasks run in which way."""
    environment = resolve_environment(options.airflow, options.cache)
    around = surroundings_of(options.project)
    files = discover([folder], syntax=ignore_syntax(environment), search=around.search).files
    with Frontend(environment, parse_timeout=60.0, cache=options.cache, surroundings=around) as frontend:
        for loaded in frontend.load(files):
            for workflow in loaded.workflows:
                yield workflow.dag_id, Counter(map(_runs, place(workflow).tasks))


def _runs(task: Task) -> str:
    if task.container is not None:
        return "container"
    family = family_of(task)
    return family.runs.value if family else "refused"


def total(name: str, rows: Iterable[Row]) -> Row:
    """Return the sum of rows; reasons are counted by files."""
    rows = list(rows)
    why = Counter(each for row in rows for each in row.why)
    return Row(
        name,
        sum(row.dags for row in rows),
        sum(row.translated for row in rows),
        sum((row.tasks for row in rows), Counter[str]()),
        tuple(f"{each} in {count}" for each, count in why.most_common()),
    )


def page(sets: dict[str, list[Row]], version: str) -> str:
    """Return the page."""
    head = "| | DAGs | tasks | Lambda | pass | native | container | refused | why not |"
    line = "|---|---|---|---|---|---|---|---|---|"
    totals = [total(name, rows) for name, rows in sets.items()]
    parts = [
        "<!-- Written by docs/coverage.py; do not edit. -->",
        "",
        "# What is translated today",
        "",
        f"DAG files that nobody wrote for this project, parsed by Airflow {version} where the",
        "row names no other, converted with `--layers skip`.",
        "DAGs: translated of all that load. Tasks: how each would run. A DAG is refused as a whole if one task, its",
        "schedule or an argument is; the ids are in [reference/diagnostics.md](reference/diagnostics.md).",
        "",
        head,
        line,
        *(row.cells() for row in totals),
        replace(total("**all**", totals), why=()).cells(),
    ]
    for name, rows in sets.items():
        parts += ["", f"## {name}", "", head, line, *(row.cells() for row in rows)]
    return "\n".join(parts) + "\n"


def main() -> int:
    """Measure the folders that are named and print or write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="+", metavar="NAME=FOLDER[@PYTHON]")
    parser.add_argument("--airflow-python", type=Path)
    parser.add_argument("--pythonpath", type=Path, action="append", default=[])
    parser.add_argument("--env-file", type=Path, action="append", default=[])
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    project = Project(pythonpath=tuple(given.pythonpath), env_files=tuple(given.env_file))
    source = AirflowSource(python=given.airflow_python)
    measured: dict[str, list[Row]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        options = ConvertOptions(
            paths=(), out=Path(scratch) / "out", layers="skip", airflow=source, project=project
        )
        for named in given.sets:
            name, _, rest = named.partition("=")
            place, _, python = rest.partition("@")
            own = AirflowSource(python=Path(python)) if python else source
            folder = Path(place)
            measured[name] = measure(folder, replace(options, paths=(folder,), airflow=own))
    text = page(measured, resolve_environment(source, None).airflow_version)
    if given.write:
        PAGE.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
