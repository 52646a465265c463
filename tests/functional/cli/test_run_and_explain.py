"""`orkestra-bridge run` and `explain`, as a user calls them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from commands import bridge

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def home(sample_dags: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("run")
    shutil.copytree(sample_dags, home / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    (home / "dags" / "fails.py").write_text(
        "from airflow.sdk import dag, task\n\n@dag(schedule=None)\ndef fails():\n    @task\n    def no():\n"
        "        raise ValueError('no')\n\n    no()\n\nfails()\n"
    )
    done = bridge("convert", "dags", "-o", "out", "--layers", "skip", "--no-cache", cwd=home)
    assert done.code == 0, done.err
    return home


def test_the_result_has_exactly_the_agreed_form(home: Path) -> None:
    date = "2024-03-01T00:00:00+00:00"
    done = bridge(
        "run",
        "hourly_etl",
        "--out",
        "out",
        "--logical-date",
        date,
        "--format",
        "json",
        "--conf",
        '{"a": 1}',
        cwd=home,
    )
    assert done.code == 0, done.err
    result = done.json()
    assert list(result) == ["dag_id", "run_id", "run_state", "logical_date", "seconds", "tasks", "xcom"]
    assert (result["dag_id"], result["run_state"], result["logical_date"]) == ("hourly_etl", "success", date)
    assert result["tasks"] == {
        task: {"state": "success", "tries": 1} for task in ("extract", "load", "transform")
    }
    assert result["xcom"]["load"]["return_value"] == {"table": "orders_20240301", "rows": 2, "total": 27.15}
    assert result["xcom"]["transform"]["rejected"] == [3]
    (run,) = (home / "out" / ".runs").glob("manual__2024-03-01*")
    assert "reading orders" in (run / "extract.log").read_text()


def test_a_failed_run_has_exit_code_1_and_says_so(home: Path) -> None:
    done = bridge("run", "fails", "--out", "out", "--format", "json", cwd=home)
    assert done.code == 1
    assert done.json()["run_state"] == "failed"
    assert done.json()["tasks"] == {"no": {"state": "failed", "tries": 1}}


def test_conf_reaches_the_tasks(home: Path) -> None:
    done = bridge(
        "run", "quality_gate", "--out", "out", "--format", "json", "--conf", '{"rows": 25}', cwd=home
    )
    assert {task: entry["state"] for task, entry in done.json()["tasks"].items()} == dict.fromkeys(
        ["announced", "archive", "enough_rows", "publish", "row_count"], "success"
    )


def test_connections_and_variables_come_from_the_environment(home: Path) -> None:
    done = bridge(
        "run",
        "settings_and_secrets",
        "--out",
        "out",
        "--format",
        "json",
        cwd=home,
        AIRFLOW_VAR_THRESHOLDS='{"low": 7}',
        AIRFLOW_CONN_SHOP_API="https://user:hunter2@shop.example:8443",
    )
    xcom = done.json()["xcom"]
    assert xcom["settings"]["return_value"]["low"] == 7
    assert xcom["endpoint"]["return_value"] == "https://shop.example:8443"
    assert "hunter2" not in done.out + done.err


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("ir", "task choose"),
        ("regions", "parallel"),
        ("asl", '"StartAt": "count_changes"'),
        ("template", "AWS::StepFunctions::StateMachine"),
    ],
)
def test_each_stage_can_be_printed(home: Path, stage: str, words: str) -> None:
    done = bridge("explain", "dags/branching_report.py", "--stage", stage, cwd=home)
    assert done.code == 0, done.err
    assert words in done.out
    if stage in ("asl", "template"):
        assert json.loads(done.out)


def test_a_file_with_several_dags_needs_a_choice(home: Path) -> None:
    unclear = bridge("explain", "dags/billing.py", cwd=home)
    assert unclear.code == 2
    assert "billing_invoices, billing_reminders" in unclear.err
    assert bridge("explain", "dags/billing.py", "--dag", "billing_reminders", cwd=home).code == 0


def test_retry_delays_can_be_skipped(home: Path) -> None:
    (home / "slow.py").write_text(
        "from datetime import timedelta\nfrom airflow.sdk import dag, task\n\n@dag(schedule=None)\ndef slow():\n"
        "    @task(retries=1, retry_delay=timedelta(hours=1))\n    def twice(ti=None):\n"
        "        if ti.try_number == 1:\n            raise ValueError('not yet')\n\n    twice()\n\nslow()\n"
    )
    assert bridge("convert", "slow.py", "-o", "slow", "--layers", "skip", "--no-cache", cwd=home).code == 0
    done = bridge("run", "slow", "--out", "slow", "--fast", "--format", "json", cwd=home)
    assert done.code == 0, done.err
    assert done.json()["tasks"] == {"twice": {"state": "success", "tries": 2}}


def test_ids_of_any_alphabet_can_be_run(home: Path) -> None:
    long = "日本語のタスク" * 12
    (home / "ids.py").write_text(
        "from airflow.sdk import dag, task\n\n@dag('größe_данные', schedule=None)\ndef ids():\n"
        f"    @task(task_id='{long}')\n    def one():\n        print('ok')\n        return 1\n\n    one()\n\nids()\n",
        encoding="utf-8",
    )
    assert bridge("convert", "ids.py", "-o", "ids", "--layers", "skip", "--no-cache", cwd=home).code == 0
    done = bridge("run", "größe_данные", "--out", "ids", "--format", "json", cwd=home)
    assert done.code == 0, done.err
    assert done.json()["xcom"] == {long: {"return_value": 1}}
    (log,) = (home / "ids" / ".runs").glob("*/日本*.log")
    assert "ok" in log.read_text(encoding="utf-8")
