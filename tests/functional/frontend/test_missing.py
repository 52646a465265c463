"""One conversion tells all that a DAG file lacks, and can go on with made-up values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from commands import bridge

from orkestra_bridge.frontend.discovery import discover
from orkestra_bridge.frontend.loader import Frontend
from orkestra_bridge.project.surroundings import Surroundings

if TYPE_CHECKING:
    from orkestra_bridge.frontend.model import Environment, LoadedFile

LACKING = """\
import json
import os
from datetime import datetime, timedelta

from airflow import DAG
from airflow.hooks.base import BaseHook
from airflow.models import Variable

from company.operators import CopyOperator
from company.tools import decorate, helper

BUCKET = Variable.get("bucket")
FALLBACK = Variable.get("has_default", default_var="x")
try:
    OPTIONAL = Variable.get("caught")
except Exception:
    OPTIONAL = None
RETRIES = int(Variable.get("retries"))
CONFIG = Variable.get("config", deserialize_json=True)
OTHER = json.loads(os.environ["OTHER"])["a"]["b"]
HOST = BaseHook.get_connection("db").host
START = datetime.strptime(os.environ["START"], "%Y-%m-%d")


@decorate(key=helper())
def work():
    return BUCKET


with DAG("etl", start_date=START, schedule=None, default_args={"retries": RETRIES}):
    CopyOperator(task_id="copy", source=CONFIG["source"]["path"], retry_delay=timedelta(minutes=int(OTHER)))
"""
EXPECTED = [
    ("module", "company", "etl.py:9"),
    ("variable", "bucket", "etl.py:12"),
    ("variable", "retries", "etl.py:18"),
    ("variable", "config", "etl.py:19"),
    ("environ", "OTHER", "etl.py:20"),
    ("connection", "db", "etl.py:21"),
    ("environ", "START", "etl.py:22"),
]


@dataclass
class Case:
    folder: Path
    environment: Environment

    def load(self, source: str, *, assume: bool = False) -> LoadedFile:
        (self.folder / "etl.py").write_text(source)
        around = Surroundings(assume_missing=assume)
        files = discover([self.folder]).files
        with Frontend(self.environment, parse_timeout=60, cache=None, surroundings=around) as frontend:
            (loaded,) = frontend.load(files)
        return loaded


@pytest.fixture
def case(environment: Environment, tmp_path: Path) -> Case:
    return Case(tmp_path, environment)


def test_everything_that_is_missing_is_told_in_one_go(case: Case) -> None:
    loaded = case.load(LACKING)
    found = [(each.kind, each.name, Path(each.place).name) for each in loaded.lacking]
    assert found == EXPECTED
    assert loaded.workflows == ()
    errors = [finding.id for finding in loaded.findings if finding.severity.value == "error"]
    assert errors == ["OB103", "OB104", "OB104", "OB104", "OB131", "OB105", "OB131"]


def test_made_up_values_show_the_graph_and_are_named(case: Case) -> None:
    (workflow,) = case.load(LACKING, assume=True).workflows
    assert [task.task_id for task in workflow.tasks] == ["copy"]
    assert workflow.tasks[0].operator == "CopyOperator"
    assert set(workflow.made_up) == {f"{kind} {name}" for kind, name, _ in EXPECTED}


def test_another_mistake_behind_the_missing_ones_is_told_too(case: Case) -> None:
    loaded = case.load('# airflow dag\nimport os\nos.environ["A"]\nimport nothing.there\nos.environ["B"]\n')
    assert [each.name for each in loaded.lacking] == ["A", "nothing", "B"]
    loaded = case.load("import os\nos.environ['A']\nraise SystemExit(1)  # airflow dag\n")
    assert {finding.id for finding in loaded.findings} >= {"OB131", "OB108"}


def test_a_file_that_lacks_nothing_is_loaded_once(case: Case) -> None:
    loaded = case.load("import os\nos.environ['PATH']\nraise ValueError('x')  # airflow dag\n", assume=True)
    assert loaded.lacking == ()
    assert [finding.id for finding in loaded.findings] == ["OB111"]


def test_the_command_leaves_a_file_to_fill_in(tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    source = LACKING.replace("from company", "# from company").replace("@decorate(key=helper())\n", "")
    source = source.replace("CopyOperator(", "EmptyOperator(").replace(
        ' source=CONFIG["source"]["path"],', ""
    )
    source = source.replace(
        "from airflow import DAG",
        "from airflow import DAG\nfrom airflow.operators.empty import EmptyOperator",
    )
    (tmp_path / "dags" / "etl.py").write_text(source)
    options = ("--layers", "skip", "--cache-dir", tmp_path / "cache", "--format", "json", "-o", "out")
    done = bridge("convert", "dags", *options, cwd=tmp_path)
    assert done.code == 1
    assert [each["name"] for each in done.json()["missing"]] == [
        "db",
        "OTHER",
        "START",
        "bucket",
        "config",
        "retries",
    ]
    template = (tmp_path / "out" / "missing.env").read_text()
    assert "# dags/etl.py:13\nAIRFLOW_VAR_BUCKET=\n" in template

    assumed = bridge("convert", "dags", *options, "--assume-missing", cwd=tmp_path)
    assert assumed.code == 1
    (dag,) = assumed.json()["dags"]
    assert (dag["verdict"], dag["tasks"]) == ("refused", 1)
    assert "OB291" in {finding["id"] for finding in dag["findings"]}
    assert not (tmp_path / "out" / "etl").exists()

    values = {"BUCKET": "b", "RETRIES": "2", "CONFIG": '{"source": {"path": "p"}}'}
    filled = template.replace("OTHER=", 'OTHER={"a": {"b": 5}}').replace("START=", "START=2024-01-01")
    filled = filled.replace("AIRFLOW_CONN_DB=", "AIRFLOW_CONN_DB=http://h")
    for name, value in values.items():
        filled = filled.replace(f"AIRFLOW_VAR_{name}=", f"AIRFLOW_VAR_{name}={value}")
    (tmp_path / "filled.env").write_text(filled)
    final = bridge("convert", "dags", *options, "--env-file", "filled.env", cwd=tmp_path)
    assert final.code == 0, json.dumps(final.json(), indent=1)


def test_what_a_file_asked_for_with_a_default_may_be_what_it_lacks(case: Case) -> None:
    source = (
        'import os\nfrom airflow import DAG\nURL = os.getenv("ORKESTRA_TEST_URL", "")\n'
        'if not URL:\n    raise ValueError("Invalid endpoint")\ndag = DAG("d", schedule=None)\n'
    )
    (finding,) = case.load(source).findings
    assert finding.id == "OB111"
    assert "it asked for ORKESTRA_TEST_URL" in finding.remedy
    loaded = case.load(source, assume=True)
    assert [workflow.made_up for workflow in loaded.workflows] == [("environ ORKESTRA_TEST_URL",)]
