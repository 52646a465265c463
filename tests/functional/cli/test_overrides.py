"""What orkestra.toml gives DAGs and tasks reaches the template, and the run on this machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from commands import bridge

if TYPE_CHECKING:
    from pathlib import Path

DAG = """\
import time
from datetime import datetime

import pendulum
from airflow.sdk import dag, task


@dag(schedule=None, start_date=datetime(2024, 1, 1), catchup=False)
def orders():
    @task
    def read():
        return str(pendulum.datetime(2024, 1, 1).date())

    @task
    def sleep(day):
        time.sleep(60)

    sleep(read())


orders()
"""
CONFIGURATION = """\
paths = ["dags"]
layers = "skip"

[dags."ord*"]
memory = 1024
requirements = "pinned.txt"

[[dags."ord*".events]]
source = ["aws.s3"]
detail.bucket.name = ["incoming"]

[dags."ord*".tasks.sleep]
timeout = 1
"""


def test_what_the_configuration_gives_has_an_effect(tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "orders.py").write_text(DAG)
    (tmp_path / "pinned.txt").write_text("pendulum==3.0.0\n")
    (tmp_path / "orkestra.toml").write_text(CONFIGURATION)
    done = bridge("convert", cwd=tmp_path)
    assert done.code == 0, done.err
    folder = tmp_path / "orkestra-out" / "orders"
    resources = json.loads((folder / "template.json").read_text())["Resources"]
    functions = {
        name: (each["Properties"]["MemorySize"], each["Properties"]["Timeout"])
        for name, each in resources.items()
        if each["Type"] == "AWS::Lambda::Function"
    }
    assert functions == {"TasksFunction": (1024, 900), "TasksMemory1024Timeout1Function": (1024, 1)}
    [rule] = [each for each in resources.values() if each["Type"] == "AWS::Events::Rule"]
    assert rule["Properties"]["EventPattern"]["detail"] == {"bucket": {"name": ["incoming"]}}
    assert "pendulum==3.0.0 " in (folder / "functions" / "requirements.txt").read_text()

    run = bridge("run", "orders", "--format", "json", cwd=tmp_path)
    assert run.code == 1, run.err
    tasks = json.loads(run.out)["tasks"]
    assert (tasks["read"]["state"], tasks["sleep"]["state"]) == ("success", "failed")
    assert json.loads(run.out)["seconds"] < 30

    explained = bridge("explain", "dags/orders.py", "--stage", "template", cwd=tmp_path)
    assert '"TasksMemory1024Timeout1Function"' in explained.out
    assert "EventLauncher" in explained.out


def test_a_misspelt_pattern_is_said_where_a_folder_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "orders.py").write_text(DAG)
    (tmp_path / "orkestra.toml").write_text("[dags.order]\nmemory = 256\n")
    whole = bridge("assess", "dags", "--format", "json", cwd=tmp_path).json()
    assert [(each["id"], each["file"], each["line"]) for each in whole["findings"]] == [
        ("OB227", "orkestra.toml", 2)
    ]
    one = bridge("assess", "dags/orders.py", "--format", "json", cwd=tmp_path).json()
    assert one["findings"] == []


def test_another_requirements_file_must_exist(tmp_path: Path) -> None:
    (tmp_path / "orkestra.toml").write_text('[dags.a]\nrequirements = "gone.txt"\n')
    (tmp_path / "a.py").write_text("# airflow dag\n")
    done = bridge("convert", "a.py", cwd=tmp_path)
    assert done.code == 2
    assert "gone.txt" in done.err
    assert "Traceback" not in done.err
