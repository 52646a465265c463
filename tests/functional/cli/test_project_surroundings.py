"""A project as repositories have it: modules beside the DAG folder, plugins, settings in files, relative paths."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest
from commands import bridge

if TYPE_CHECKING:
    from pathlib import Path

DAG = """\
import json
import os
from datetime import datetime
from pathlib import Path

from airflow.decorators import dag, task
from airflow.hooks.base import BaseHook
from airflow.models import Variable

from include.tables import TABLES
from naming import label

LIMIT = json.loads(Path("config/limits.json").read_text())["rows"]
BUCKET = Variable.get("bucket")
STAGE = os.environ["STAGE"]
HOST = BaseHook.get_connection("shop").host


@dag(dag_id="daily", schedule=None, start_date=datetime(2024, 1, 1))
def daily():
    @task
    def load(tables: list[str]) -> str:
        query = Path(__file__).parent.parent / "include" / "sql" / "load.sql"
        return f"{label(STAGE)} {BUCKET} {HOST} {LIMIT} {tables} {query.read_text().strip()}"

    load(TABLES)


daily()
"""
FILES = {
    "dags/daily.py": DAG,
    "include/__init__.py": "",
    "include/tables.py": 'TABLES = ["orders"]\n',
    "include/sql/load.sql": "SELECT 1\n",
    "plugins/naming.py": "def label(text):\n    return text.upper()\n",
    "config/limits.json": '{"rows": 7}',
    ".env": "STAGE=test\n",
    "variables.json": '{"bucket": "orders-bucket"}',
    "connections.yaml": "shop:\n  conn_type: http\n  host: shop.example\n  password: hunter2\n",
}
OPTIONS = (
    *("--pythonpath", ".", "--plugins-folder", "plugins", "--working-directory", "."),
    *("--env-file", ".env", "--variables", "variables.json", "--connections", "connections.yaml"),
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "repo" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "repo"


def test_the_whole_project_is_loaded_packaged_and_run(project: Path, tmp_path: Path) -> None:
    cache = ("--cache-dir", tmp_path / "cache")
    done = bridge(
        "convert", "dags", *OPTIONS, "--layers", "skip", "--run", "--format", "json", *cache, cwd=project
    )
    assert done.code == 0, done.out + done.err
    run = json.loads(done.out.splitlines()[-1])
    assert run["xcom"]["load"]["return_value"] == "TEST orders-bucket shop.example 7 ['orders'] SELECT 1"
    out = project / "orkestra-out"
    needs = json.loads((out / "report.json").read_text())["dags"][0]["needs"]
    places = {kind: [(need["name"], need["file"], need["line"]) for need in needs[kind]] for kind in needs}
    assert places == {
        "variables": [("bucket", "dags/daily.py", 14)],
        "connections": [("shop", "dags/daily.py", 16)],
        "environment": [("STAGE", "dags/daily.py", 15)],
        "kubernetes_secrets": [],
        "kubernetes_configmaps": [],
        "unknown": [],
    }
    with zipfile.ZipFile(out / "daily" / "functions" / "tasks.zip") as package:
        names = {name for name in package.namelist() if name.startswith("source/")}
    assert names == {
        "source/config/limits.json",
        "source/dags/daily.py",
        "source/include/__init__.py",
        "source/include/sql/load.sql",
        "source/include/tables.py",
        "source/plugins/naming.py",
    }
    for path in (
        path for path in out.rglob("*.json") if ".runs" not in path.parts
    ):  # a run has what tasks return
        text = path.read_text()
        assert not any(value in text for value in ("hunter2", "orders-bucket", "shop.example")), path
    again = bridge("run", "daily", "--env-file", ".env", "--format", "json", cwd=project)
    assert again.code == 1  # the Variables were only given to `convert`
    assert bridge("explain", "dags/daily.py", *OPTIONS, cwd=project).code == 0


def test_a_bad_settings_file_is_wrong_usage(project: Path) -> None:
    (project / "variables.json").write_text('{\n"a": 1,\n}')
    done = bridge("convert", "dags", *OPTIONS, cwd=project)
    assert done.code == 2
    assert "variables.json:3 is not JSON" in done.err
