"""Airflow's own example DAGs: run by Airflow and from what was emitted, and the page that says how that ended.

A DAG is compared unless it was refused, or `NOT_COMPARED` says why its results cannot be the same.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from airflow_model import fingerprint
from equivalence import difference, machine_outcomes, translated

from orkestra_bridge.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_process import Airflow

    from orkestra_bridge.report import DagReport

PAGE = Path(__file__).parents[2] / "docs" / "examples-equivalence.md"
LOGICAL_DATE = "2026-03-01T00:00:00+00:00"
"""After the start date of every example."""
SAME = "same"
REFUSED = "not translated"
_TITLE = "## Airflow "
_PACKAGES = ("airflow.example_dags", "airflow.providers.standard.example_dags")
_PLACES = """
import importlib.util, json, sys, airflow
def place(name):
    try:
        return importlib.util.find_spec(name).submodule_search_locations[0]
    except (ImportError, AttributeError):
        return None
print(json.dumps([airflow.__version__, [p for p in map(place, sys.argv[1:]) if p]]))
"""
_HEAD = """\
<!-- Written by tests/execute/test_example_dags.py; do not edit. -->

# Airflow's examples, run by both

The example DAGs that come with Airflow and its standard provider, each run by Airflow's `dag.test()` and by
`orkestra-bridge run` from what was emitted. *Same* means: the same state and number of tries of every task instance, the
same XComs, and the same state of the run; of XComs that are random numbers, the kinds are compared. The others are listed
with the reason why they were not compared; the ids of findings are explained in
[reference/diagnostics.md](reference/diagnostics.md). XComs in which Airflow keeps its own notes
are left out: links of operators, and in Airflow 2 the lineage.
"""

_OTHER = "not compared: it needs another DAG's run, and `dag.test()` has no other DAG"
_CHANCE = "not compared: processes of their own choose its branches by chance"
_PLUGIN = "not compared: for `dag.test()` its plugin has to be installed"
_FETCHES = "not compared: it fetches packages from the network when it runs"

NOT_COMPARED = {
    "example_branch_operator": _CHANCE,
    "example_branch_python_operator_decorator": _CHANCE,
    "example_custom_weight": _PLUGIN,
    "example_external_task": _OTHER,
    "example_external_task_marker_child": _OTHER,
    "example_trigger_controller_dag": _OTHER,
    "tutorial_taskflow_api_virtualenv": _FETCHES,
}
"""Why some are not compared, by DAG id; they are not run at all."""
_CONF = {"example_params_ui_tutorial": {"required_field": "a text of ten characters"}}
"""Params that somebody has to give values to."""
BY_CHANCE = frozenset(
    {"example_asset_state_store_producer", "example_task_state_store", "example_task_state_store_mapped"}
)
"""Those whose XComs are random numbers and the time of the day: of these, the kinds are compared."""
_FROZEN = ("date", "stat")
"""Programs that print what is another thing each time; here they print their own names."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """What became of an example; ``verdict`` is `SAME`, why it was not compared, or how the results differ."""

    dag_id: str
    tasks: int
    verdict: str

    @property
    def known(self) -> bool:
        """Whether it is the same, or there is a reason why not."""
        return self.verdict == SAME or self.verdict.startswith((REFUSED, *NOT_COMPARED.values()))

    def line(self) -> str:
        """Return its line of the page."""
        return f"| {self.dag_id} | {self.tasks} | {self.verdict} |"


def installed(airflow: Airflow) -> tuple[str, list[Path]]:
    """Return the version of an Airflow, and the folders of its examples."""
    command = [str(airflow.python), "-c", _PLACES, *_PACKAGES]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    version, places = json.loads(found.splitlines()[-1])
    return version, [Path(place) for place in places]


def examples(airflow: Airflow, scratch: Path, only: Sequence[str] | None = None) -> list[Example]:
    """Return what became of the examples, or of those with the given ids, by file."""
    _, folders = installed(airflow)
    paths = folders if only is None else _files_with(folders, only)
    conversion = translated(paths, scratch / "out", airflow)
    reports = [dag for dag in conversion.report.dags if only is None or dag.dag_id in only]
    verdicts = {dag.dag_id: _reason(dag) for dag in reports}
    environment = _environment(scratch)
    by_file: dict[str, list[str]] = {}
    for dag in reports:
        if not verdicts[dag.dag_id]:
            by_file.setdefault(dag.file, []).append(dag.dag_id)
    for file, ids in by_file.items():  # a database for each: assets of different files have the same names
        conf = _CONF.get(ids[0], {})
        options = _options(ids, conf)
        with airflow.runs(
            [Path(file)], *options, environment=environment, errors_too=True
        ) as wait_for_airflow:
            ours = machine_outcomes(conversion, environment, only=ids, logical_date=LOGICAL_DATE, conf=conf)
            outcomes = {dag_id: outcome for dag_id, outcome, _ in ours}
            theirs = wait_for_airflow()
        verdicts |= {
            dag_id: _verdict(_comparable(dag_id, outcomes[dag_id]), _comparable(dag_id, theirs[dag_id]))
            for dag_id in ids
        }
    return [Example(dag_id=dag.dag_id, tasks=dag.tasks, verdict=verdicts[dag.dag_id]) for dag in reports]


def _files_with(folders: Iterable[Path], dag_ids: Sequence[str]) -> list[Path]:
    """Return the files whose text has one of the ids; a few too many do no harm."""
    files = sorted(file for folder in folders for file in folder.glob("*.py"))
    return [file for file in files if any(dag_id in file.read_text("utf-8") for dag_id in dag_ids)]


def _environment(scratch: Path) -> dict[str, str]:
    """Return what makes commands print the same on both sides: no clock, and the same home of Airflow."""
    programs = scratch / "programs"
    programs.mkdir()
    for name in _FROZEN:
        program = programs / name
        program.write_text(f"#!/bin/sh\necho {name}\n", encoding="utf-8")
        program.chmod(0o755)
    return {"AIRFLOW_HOME": str(scratch / "home"), "PATH": f"{programs}:{os.environ['PATH']}"}


def _options(dag_ids: Iterable[str], conf: Mapping[str, str]) -> list[str]:
    ids = [word for dag_id in dag_ids for word in ("--dag-id", dag_id)]
    return [*ids, "--logical-date", LOGICAL_DATE, "--conf", json.dumps(conf)]


def _reason(dag: DagReport) -> str:
    """Return why a DAG cannot be compared, or nothing."""
    if dag.verdict != "translated":
        ids = sorted({finding.id for finding in dag.findings if finding.severity is Severity.ERROR})
        return f"{REFUSED}: {', '.join(ids)}"
    return NOT_COMPARED.get(dag.dag_id, "")


def _comparable(dag_id: str, outcome: Mapping[str, Any] | None) -> Any:
    if outcome is None or "xcom" not in outcome or dag_id not in BY_CHANCE:
        return outcome
    return {**outcome, "xcom": _kinds(outcome["xcom"])}


def _kinds(value: Any) -> Any:
    """Return the kind of a value; of what has parts, that of each."""
    if isinstance(value, dict):
        return {key: _kinds(each) for key, each in value.items()}
    return list(map(_kinds, value)) if isinstance(value, list) else type(value).__name__


def _verdict(ours: Mapping[str, Any] | None, theirs: Mapping[str, Any]) -> str:
    if "error" in theirs:
        return f"Airflow: {theirs['error']}"
    return difference(ours, {fingerprint(theirs): theirs}) or SAME


def section(version: str, found: Sequence[Example]) -> str:
    """Return the part of the page about one Airflow."""
    same = sum(example.verdict == SAME for example in found)
    refused = sum(example.verdict.startswith(REFUSED) for example in found)
    rest = len(found) - same - refused
    return "\n".join(
        [
            f"{_TITLE}{version}",
            "",
            f"{len(found)} DAGs: {same} the same, {refused} not translated, {rest} not compared. None differs.",
            "",
            "| DAG | tasks | outcome |",
            "|---|---|---|",
            *(example.line() for example in found),
            "",
        ]
    )


def page_with(new: str) -> str:
    """Return the page with the section of an Airflow's major version put in, or replaced."""
    text = PAGE.read_text("utf-8") if PAGE.exists() else ""
    sections = [_TITLE + part for part in text.split(_TITLE)[1:]]
    kept = [each for each in sections if _major(each) != _major(new)]
    return "\n".join(
        [_HEAD, *(each.strip() + "\n" for each in sorted([*kept, new], key=_major, reverse=True))]
    )


def _major(text: str) -> str:
    return text.removeprefix(_TITLE).partition(".")[0]
