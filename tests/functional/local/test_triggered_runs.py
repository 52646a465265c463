"""DAGs that start each other and wait for each other, converted and run from the same OUT."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from orkestra_bridge.local.interpreter import VirtualClock
from orkestra_bridge.local.run import RunRequest, RunResult, run_dag
from orkestra_bridge.options import ConvertOptions
from orkestra_bridge.pipeline import convert

FILE = Path(__file__).parents[2] / "data" / "sensors" / "other_dags.py"
DATE = "2024-03-01T00:00:00+00:00"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("others") / "out"
    converted = convert(ConvertOptions(paths=(FILE,), out=folder, layers="skip", cache=None))
    unknown = [finding for dag in converted.report.dags for finding in dag.findings if finding.id == "OB241"]
    assert sorted(str(finding.task_id) for finding in unknown) == ["for_ever", "lost"]
    assert len(converted.translated) == 5
    return folder


def run(out: Path, dag_id: str, **more: Any) -> RunResult:
    request = RunRequest(
        out=out, dag_id=dag_id, python=Path(sys.executable), **{"logical_date": DATE, **more}
    )
    return run_dag(request, clock=VirtualClock())


def states(result: RunResult) -> dict[str, str]:
    return {task_id: task.state for task_id, task in result.tasks.items()}


def test_triggered_dags_are_run_and_waited_for(out: Path) -> None:
    result = run(out, "calls")
    assert states(result) == {
        "go": "success",
        "see": "success",
        "see_task": "success",
        "see_group": "success",
        "again": "skipped",
        "broken": "failed",
        "allowed": "success",
        "fine_of_broken": "success",
        "bad_of_broken": "skipped",
        "lost": "failed",
        "mark": "success",
    }
    assert {run.dag_id: run.run_state for run in result.triggered} == {
        "called": "success",
        "breaks": "failed",
    }
    called = next(run for run in result.triggered if run.dag_id == "called")
    assert called.tasks["work"].xcom["return_value"] == {"day": "2024-03-01"}
    assert called.run_id == f"manual__{DATE}"


def test_a_sensor_sees_runs_that_ended_before(out: Path) -> None:
    day = "2024-04-01T00:00:00+00:00"
    assert states(run(out, "sees", logical_date=day)) == {"late": "skipped"}
    assert states(run(out, "called", logical_date=day)) == {"work": "success", "more.inner": "success"}
    assert states(run(out, "sees", logical_date=day)) == {"late": "success"}


def test_a_sensor_for_a_dag_that_is_not_here_ends_at_once(out: Path) -> None:
    result = run(out, "looks_elsewhere")
    assert {task_id: (task.state, task.tries) for task_id, task in result.tasks.items()} == {
        "for_ever": ("failed", 1)
    }
    log = (result.logs / "for_ever.log").read_text(encoding="utf-8")
    assert "'nobody_knows_it' is not in OUT" in log
    assert "convert its DAG together with this one" in log
