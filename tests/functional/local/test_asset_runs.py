"""DAGs that wait for assets, converted and run from the same OUT: what one run updates starts others."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from commands import bridge

from orkestra_bridge.errors import LocalRunError
from orkestra_bridge.local.interpreter import VirtualClock
from orkestra_bridge.local.run import RunRequest, RunResult, run_dag
from orkestra_bridge.options import ConvertOptions
from orkestra_bridge.pipeline import convert

FILE = Path(__file__).parents[2] / "data" / "assets" / "flow.py"
CIRCLE = """
from airflow.sdk import DAG, Asset
from airflow.providers.standard.operators.empty import EmptyOperator

A, B = Asset("a"), Asset("b")
for name, given, made in (("first", B, A), ("second", A, B)):
    with DAG(name, schedule=[given]):
        EmptyOperator(task_id="t", outlets=[made])
"""


def converted(file: Path, folder: Path) -> Path:
    report = convert(ConvertOptions(paths=(file,), out=folder, layers="skip", cache=None)).report
    assert {dag.verdict for dag in report.dags} == {"translated"}
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return converted(FILE, tmp_path / "out")


def run(out: Path, dag_id: str, **more: Any) -> RunResult:
    request = RunRequest(out=out, dag_id=dag_id, python=Path(sys.executable), **more)
    return run_dag(request, clock=VirtualClock())


def told(result: RunResult) -> dict[str, Any]:
    return {one.dag_id: "starts" if one.document else list(one.waits_for) for one in result.consumers}


def test_a_run_tells_what_its_assets_start_and_what_still_waits(out: Path) -> None:
    assert told(run(out, "makes_orders")) == {"needs_both": ["s3://shop/prices"], "needs_one": "starts"}
    assert told(run(out, "makes_orders")) == {"needs_both": ["s3://shop/prices"], "needs_one": "starts"}
    prices = told(run(out, "makes_prices"))
    assert prices == {"needs_both": "starts", "needs_one": "starts", "needs_alias": "starts"}
    assert told(run(out, "makes_prices"))["needs_both"] == ["s3://shop/orders"]


def test_following_assets_runs_what_they_start(out: Path) -> None:
    run(out, "makes_orders", conf={"rows": 3})
    run(out, "makes_orders", conf={"rows": 4})
    result = run(out, "makes_prices", follow_assets=True)
    values = {
        each.dag_id: value.xcom["return_value"] for each in result.triggered for value in each.tasks.values()
    }
    assert values == {
        "needs_both": {"orders": [{"rows": 3}, {"rows": 4}], "prices": [{}]},
        "needs_one": ["asset_triggered", None, 1],
        "needs_alias": ["s3://shop/prices/today"],
        "needs_report": "published",
    }


def test_the_command_says_it_in_both_formats(out: Path) -> None:
    options = ("--out", str(out), "--fast")
    table = bridge("run", "makes_orders", *options, cwd=out)
    assert "assets: needs_both still waits for s3://shop/prices" in table.out
    assert "assets: needs_one starts (asset_triggered__" in table.out
    done = bridge("run", "makes_prices", *options, "--follow-assets", "--format", "json", cwd=out)
    document = json.loads(done.out)
    assert [one["dag_id"] for one in document["asset_consumers"]] == [
        "needs_alias",
        "needs_both",
        "needs_one",
    ]
    assert {one["dag_id"] for one in document["triggered"]} == {
        "needs_alias",
        "needs_both",
        "needs_one",
        "needs_report",
    }


def test_dags_that_start_each_other_are_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "circle.py"
    file.write_text(CIRCLE)
    out = converted(file, tmp_path / "out")
    monkeypatch.setattr("orkestra_bridge.local.run.MOST_FOLLOWED", 3)
    with pytest.raises(LocalRunError, match="assets have started 3 runs"):
        run(out, "first", follow_assets=True)
