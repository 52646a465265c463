"""A DAG of 1,000 tasks, converted and run: every task ends as it has to, and sees what it asks for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orkestra_bridge.local.interpreter import VirtualClock
from orkestra_bridge.local.run import RunRequest, RunResult, run_dag
from orkestra_bridge.options import ConvertOptions
from orkestra_bridge.pipeline import convert

if TYPE_CHECKING:
    from orkestra_bridge.report import DagReport

REGIONS, TABLES = 20, 48
BROKEN = (3, 11)
"""Regions of which one table cannot be loaded."""
DAG = f"""
from datetime import datetime
from airflow.sdk import DAG, task

@task
def tables(region):
    return list(range({TABLES}))

@task
def load(tables, table, broken):
    if broken:
        raise ValueError("no such table")
    return tables[table]

@task
def add_up(rows):
    return sum(rows)

@task(trigger_rule="all_done")
def report(sums):
    return [each for each in sums]

with DAG("thousand", schedule=None, start_date=datetime(2024, 1, 1)):
    sums = []
    for region in range({REGIONS}):
        names = tables.override(task_id=f"tables_{{region}}")(region)
        rows = [
            load.override(task_id=f"load_{{region}}_{{table}}")(names, table, table == 5 and region in {BROKEN})
            for table in range({TABLES})
        ]
        sums.append(add_up.override(task_id=f"sum_{{region}}")(rows))
    report(sums)
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[DagReport, RunResult]:
    folder = tmp_path_factory.mktemp("thousand")
    file = folder / "thousand.py"
    file.write_text(DAG, encoding="utf-8")
    conversion = convert(ConvertOptions(paths=(file,), out=folder / "out", layers="skip", cache=None))
    (report,) = conversion.report.dags
    request = RunRequest(out=folder / "out", dag_id="thousand", python=Path(sys.executable))
    return report, run_dag(request, clock=VirtualClock())


def test_it_is_cut_into_several_machines(ran: tuple[DagReport, RunResult]) -> None:
    report, _ = ran
    assert report.tasks == REGIONS * (TABLES + 2) + 1 > 1000
    assert report.machines > 1
    assert report.relaxed_edges == 0


def test_every_task_ends_as_it_has_to(ran: tuple[DagReport, RunResult]) -> None:
    _, result = ran
    expected = {f"{kind}_{region}": "success" for region in range(REGIONS) for kind in ("tables", "sum")}
    expected |= {f"load_{region}_{table}": "success" for region in range(REGIONS) for table in range(TABLES)}
    for region in BROKEN:
        expected |= {f"load_{region}_5": "failed", f"sum_{region}": "upstream_failed"}
    assert {task_id: task.state for task_id, task in result.tasks.items()} == expected | {"report": "success"}
    assert result.run_state == "success", result.cause


def test_tasks_see_what_others_returned(ran: tuple[DagReport, RunResult]) -> None:
    _, result = ran
    whole = sum(range(TABLES))
    sums = [None if region in BROKEN else whole for region in range(REGIONS)]
    assert result.tasks["report"].xcom == {"return_value": sums}
