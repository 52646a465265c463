"""States and XComs of whole DAGs, task by task, as Airflow 2 and 3 themselves produced them.

The recordings in `tests/data/runtime/recorded` are what ``dag.test()`` of these Airflow versions gave for the same files,
date, conf, variables and connection.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
DATA = ROOT / "tests" / "data" / "runtime"
RECORDED = sorted((DATA / "recorded").glob("*.json"))

# Values that the recordings were made with.
RUN = {"logical_date": "2024-03-01T04:05:06+00:00", "conf": {"answer": 42}}
ENVIRONMENT = {
    "AIRFLOW_VAR_REGION": "eu",
    "AIRFLOW_VAR_LIMITS": '{"high": 9}',
    "AIRFLOW_CONN_SHOP": "http://u:p@shop.example:80/x?timeout=5",
}
TABLES = ("ORKESTRA_TASK_STATE", "ORKESTRA_ASSET_STATE", "ORKESTRA_ASSET_HISTORY")


def run_dags(package: Path, options: dict[str, Any]) -> dict[str, Any]:
    tables = {name: str(package / "tables" / name) for name in TABLES}
    environment = {**os.environ, **ENVIRONMENT, **tables, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(HERE / "drive.py"), str(package), json.dumps(options)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    results: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return results


def comparable(xcom: dict[str, Any]) -> dict[str, Any]:
    """Sort the ids in what branching tasks push: their order in Airflow is that of a set."""
    for pushed in xcom.values():
        for ids in pushed.get("skipmixin_key", {}).values():
            ids.sort()
    return xcom


@pytest.mark.parametrize("recording", RECORDED, ids=lambda path: path.stem)
def test_a_dag_ends_as_in_airflow(recording: Path, tmp_path: Path) -> None:
    stem, version = recording.stem.rsplit("-", 1)
    expected = json.loads(recording.read_text(encoding="utf-8"))
    shutil.copytree(DATA, tmp_path / "source")
    options = {"dag_file": f"{stem}.py", "version": version, "dag_ids": sorted(expected), "run": RUN}
    results = run_dags(tmp_path, options)
    for dag_id, outcome in expected.items():
        mine = results[dag_id]
        assert mine["tasks"] == outcome["tasks"], (dag_id, mine["errors"])
        assert comparable(mine["xcom"]) == comparable(outcome["xcom"]), dag_id


def test_there_are_recordings() -> None:
    assert {path.stem.rsplit("-", 1)[1] for path in RECORDED} == {"2.11.2", "3.3.2"}
    assert len(RECORDED) == 5
