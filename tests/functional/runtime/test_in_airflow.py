"""Tasks that Airflow itself runs from the ledger, and ends as where it has a database and a scheduler.

The recordings are those that the facade is compared with as well (`test_against_airflow.py`).
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

from orkestra_bridge.frontend.environments import resolve_environment
from orkestra_bridge.options import AirflowSource

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
DATA = ROOT / "tests" / "data" / "runtime"
RUN = {"logical_date": "2024-03-01T04:05:06+00:00", "conf": {"answer": 42}}
ENVIRONMENT = {
    "AIRFLOW_VAR_REGION": "eu",
    "AIRFLOW_VAR_LIMITS": '{"high": 9}',
    "AIRFLOW_CONN_SHOP": "http://u:p@shop.example:80/x?timeout=5",
}
TABLES = ("ORKESTRA_TASK_STATE", "ORKESTRA_ASSET_STATE", "ORKESTRA_ASSET_HISTORY")
LONG = pytest.mark.skipif("ORKESTRA_EQUIVALENCE" not in os.environ, reason="takes half a minute")
OWN = ROOT / "tests" / "data" / "real_airflow.py"


def in_airflow(python: Path, home: Path, options: dict[str, Any], **environment: str) -> tuple[Any, str]:
    """Return the results of DAGs and what was logged."""
    (home / "airflow").mkdir(exist_ok=True)
    variables = {**os.environ, **ENVIRONMENT, "PYTHONPATH": str(ROOT), "AIRFLOW_HOME": str(home / "airflow")}
    command = [str(python), str(HERE / "drive_airflow.py"), str(home), json.dumps({"run": RUN, **options})]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**variables, **environment}, check=False, timeout=550
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1]), done.stdout


def compare(python: Path, home: Path, recording: str, *dag_ids: str) -> None:
    stem, version = recording.rsplit("-", 1)
    recorded = json.loads((DATA / "recorded" / f"{recording}.json").read_text(encoding="utf-8"))
    expected = {dag_id: recorded[dag_id] for dag_id in dag_ids or sorted(recorded)}
    shutil.copytree(DATA, home / "source")
    options = {"dag_file": f"{stem}.py", "version": version, "dag_ids": list(expected)}
    tables = {name: str(home / "tables" / name) for name in TABLES}
    results, _ = in_airflow(python, home, options, **tables)
    for dag_id, outcome in expected.items():
        mine = results[dag_id]
        assert mine["tasks"] == outcome["tasks"], (dag_id, mine["errors"])
        assert comparable(mine["xcom"]) == comparable(outcome["xcom"]), dag_id


def comparable(xcom: dict[str, Any]) -> dict[str, Any]:
    """Sort the ids in what branching tasks push: their order in Airflow is that of a set."""
    for pushed in xcom.values():
        for ids in pushed.get("skipmixin_key", {}).values():
            ids.sort()
    return xcom


@pytest.fixture
def airflow2_python() -> Path:
    path = os.environ.get("ORKESTRA_AIRFLOW2_PYTHON")
    if not path:
        pytest.skip("ORKESTRA_AIRFLOW2_PYTHON names no Python with Airflow 2")
    return Path(path)


@LONG
def test_dags_end_as_in_airflow_3(tmp_path: Path) -> None:
    compare(Path(sys.executable), tmp_path, "flow-3.3.2", "branching", "callbacks", "circuits")


def test_what_is_stored_is_found_as_in_airflow_3(tmp_path: Path) -> None:
    compare(Path(sys.executable), tmp_path, "stores-3.3.2")


@LONG
@pytest.mark.parametrize("stem", ["flow", "values"])
def test_all_dags_end_as_in_airflow_3(tmp_path: Path, stem: str) -> None:
    compare(Path(sys.executable), tmp_path, f"{stem}-3.3.2")


@pytest.mark.airflow2
@pytest.mark.parametrize("stem", ["flow", "values"])
def test_dags_end_as_in_airflow_2(airflow2_python: Path, tmp_path: Path, stem: str) -> None:
    compare(airflow2_python, tmp_path, f"{stem}-2.11.2")


def own_dags(python: Path, home: Path, version: str) -> None:
    (home / "source").mkdir()
    shutil.copy(OWN, home / "source" / "dag.py")
    options = {
        "dag_file": "dag.py",
        "version": version,
        "dag_ids": ["waiting", "instances", "surroundings"],
        "mapped": {"inverse": 3},
    }
    secret = "http://u:pass%20word1@shop.example:80/x"
    results, log = in_airflow(python, home, options, AIRFLOW_CONN_SHOP=secret)
    waiting, instances, around = (results[dag_id] for dag_id in options["dag_ids"])
    assert waiting["tasks"] == {
        "third": {"state": "success", "tries": 1},
        "gives_up": {"state": "failed", "tries": 1},
        "defers": {"state": "success", "tries": 1},
        "never_hears": {"state": "failed", "tries": 1},
    }, waiting["errors"]
    assert waiting["xcom"]["third"] == {"return_value": 2}
    assert waiting["xcom"]["defers"] == {"return_value": [[1, "x"], True]}
    assert "AirflowSensorTimeout" in waiting["errors"]["gives_up"]
    assert "Trigger timeout" in waiting["errors"]["never_hears"]
    assert [state["state"] for state in instances["tasks"]["inverse"]] == ["success", "failed", "success"]
    assert instances["xcom"]["total"] == {"return_value": [[[0, 2], [2, 6]], [[0, 2], [2, 6]]]}
    assert around["xcom"]["reads"] == {"return_value": ["eu", None, "shop.example"]}
    assert around["errors"]["tells"] == "AirflowException: denied for ***"
    assert around["tasks"]["exits"] == {"state": "failed", "tries": 1}
    assert "the password is ***" in log
    assert "pass word1" not in log


def test_waiting_instances_and_secrets_in_airflow_3(tmp_path: Path) -> None:
    own_dags(Path(sys.executable), tmp_path, "3.3.2")


@pytest.mark.airflow2
def test_waiting_instances_and_secrets_in_airflow_2(airflow2_python: Path, tmp_path: Path) -> None:
    own_dags(airflow2_python, tmp_path, "2.11.2")


@pytest.mark.network
@pytest.mark.parametrize("version", ["2.7.3", "2.9.3", "2.10.5", "3.0.6", "3.1.8", "3.2.1"])
def test_older_airflows(tmp_path: Path, version: str) -> None:
    python = resolve_environment(AirflowSource(version=version), tmp_path / "cache").python
    for name in ("own", "values"):
        (tmp_path / name).mkdir()
    own_dags(python, tmp_path / "own", version)
    recording = "values-2.11.2" if version.startswith("2.") else "values-3.3.2"
    compare(python, tmp_path / "values", recording, "mistakes", "native")
