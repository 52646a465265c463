"""A DAG whose file the facade cannot load, from the file to the end of a run: Airflow itself runs its tasks."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orkestra_bridge.diagnostics import Severity
from orkestra_bridge.local.interpreter import VirtualClock
from orkestra_bridge.local.run import RunRequest, run_dag
from orkestra_bridge.options import ConvertOptions
from orkestra_bridge.pipeline import convert

if TYPE_CHECKING:
    from orkestra_bridge.pipeline import Conversion
    from orkestra_bridge.report import DagReport

DAG = """
import os
from datetime import datetime, timedelta
from airflow import DAG
from airflow.decorators import task
from airflow.utils.dot_renderer import render_dag  # the facade has no such module

with DAG("d", start_date=datetime(2024, 1, 1), schedule=None, {more}):
    @task(retries=1, retry_delay=timedelta(seconds=30), on_failure_callback=print)
    def second_try(ti=None):
        ti.xcom_push("try", ti.try_number)
        if ti.try_number == 1:
            raise ValueError("not yet")
        return {{"seen": render_dag.__name__, "when": datetime(2024, 5, 6)}}

    @task.sensor(poke_interval=60)
    def there(found):
        return found["when"].year == 2024

    there(second_try())
"""


def converted(home: Path, more: str = "") -> Conversion:
    (home / "dag.py").write_text(DAG.format(more=more), encoding="utf-8")
    return convert(ConvertOptions(paths=(home / "dag.py",), out=home / "out", layers="skip", cache=None))


@pytest.fixture(scope="module")
def conversion(tmp_path_factory: pytest.TempPathFactory) -> Conversion:
    return converted(tmp_path_factory.mktemp("airflow"))


def ids(dag: DagReport) -> list[str]:
    return [finding.id for finding in dag.findings if finding.severity is not Severity.INFO]


def test_the_report_says_that_airflow_runs_the_tasks_and_why(conversion: Conversion) -> None:
    [dag] = conversion.report.dags
    assert ids(dag) == ["OB245"]
    [about] = [finding for finding in dag.findings if finding.id == "OB245"]
    assert about.place.endswith("dag.py:6")
    assert "no airflow.utils.dot_renderer" in about.message
    reasons = [finding.message for finding in dag.findings if finding.id == "OB230"]
    assert len(reasons) == 2
    assert all("Airflow itself runs it, since the package's airflow has no" in each for each in reasons)


def test_its_image_has_the_airflow_that_parsed_the_dag(conversion: Conversion) -> None:
    version = conversion.environment.airflow_version
    [context] = (conversion.out / "d").glob("container-*")
    lines = (context / "requirements.txt").read_text().splitlines()
    assert lines[0] == f"apache-airflow=={version}"
    listed = (context / "constraints.txt").read_text()
    assert f"\napache-airflow-core=={version}\n" in listed
    assert f"constraints-{version}/constraints-3." in listed
    assert "orkestra-bridge==" not in listed
    dockerfile = (context / "Dockerfile").read_text()
    assert "-r /tmp/requirements.txt -c /tmp/constraints.txt" in dockerfile
    assert f"python:{sys.version_info[0]}.{sys.version_info[1]}-slim" in dockerfile
    template = json.loads((conversion.out / "d" / "template.json").read_text())
    assert f"folder {context.name}/" in template["Parameters"]["ContainerImageTag2"]["Description"]


def test_the_machine_runs_it_to_the_end(conversion: Conversion) -> None:
    request = RunRequest(out=conversion.out, dag_id="d", python=Path(sys.executable))
    result = run_dag(request, clock=VirtualClock())
    assert {name: (task.state, task.tries) for name, task in result.tasks.items()} == {
        "second_try": ("success", 2),
        "there": ("success", 1),
    }
    assert result.tasks["second_try"].xcom == {
        "try": 2,
        "return_value": {"seen": "render_dag", "when": "2024-05-06T00:00:00"},
    }
    assert result.run_state == "success"
    log = (result.logs / "second_try.log").read_text()
    assert "ValueError: not yet" in log
    assert "--- attempt 2" in log


def test_a_dag_that_needs_the_function_is_refused_and_says_so(tmp_path: Path) -> None:
    [dag] = converted(tmp_path, more="on_success_callback=print").report.dags
    assert ids(dag) == ["OB411"]
    [lacking] = [finding for finding in dag.findings if finding.id == "OB411"]
    assert "Airflow itself could run its tasks in containers, but for a callback of the DAG" in lacking.remedy
