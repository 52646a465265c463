"""A function whose requirements are a wheel that only its environment has, from the DAG file to the end of a run."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from orkestra_bridge.errors import LocalRunError
from orkestra_bridge.local.interpreter import VirtualClock
from orkestra_bridge.local.run import RunRequest, run_dag
from orkestra_bridge.options import ConvertOptions
from orkestra_bridge.pipeline import convert

DAG = """
from datetime import datetime
from airflow import DAG
from airflow.decorators import task

with DAG("d", start_date=datetime(2024, 1, 1), schedule=None):
    @task.virtualenv(requirements=["{requirement}"], system_site_packages=False)
    def own(x):
        import greeting
        return greeting.hello(x)

    @task
    def here(text):
        import importlib.util
        return [text, importlib.util.find_spec("greeting") is None]

    here(own("you"))
"""


def wheel(folder: Path) -> Path:
    """Return a wheel with one module."""
    path = folder / "greeting-1.0-py3-none-any.whl"
    information = "greeting-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("greeting.py", "def hello(name):\n    return f'hello {name}'\n")
        archive.writestr(f"{information}/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
        archive.writestr(
            f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{information}/RECORD", "")
    return path


def converted(home: Path, requirement: str) -> Path:
    (home / "dag.py").write_text(DAG.replace("{requirement}", requirement), encoding="utf-8")
    conversion = convert(
        ConvertOptions(paths=(home / "dag.py",), out=home / "out", layers="skip", cache=None)
    )
    assert conversion.translated == ("d",), conversion.report.dags[0].findings
    return conversion.out


def test_a_function_has_what_its_environment_has_and_others_do_not(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    wheels = tmp_path_factory.mktemp("wheels")
    out = converted(tmp_path, f"greeting @ file://{wheel(wheels)}")
    request = RunRequest(out=out, dag_id="d", python=Path(sys.executable))
    result = run_dag(request, clock=VirtualClock())
    assert result.tasks["here"].xcom == {"return_value": ["hello you", True]}
    environments = list((out / ".runs" / ".environments").glob("*/bin/python"))
    assert len(environments) == 1
    made = environments[0].lstat().st_mtime_ns
    assert run_dag(request, clock=VirtualClock()).run_state == "success"
    assert environments[0].lstat().st_mtime_ns == made
    dockerfile = (out / "d" / "container" / "Dockerfile").read_text()
    assert f"/environments/{environments[0].parents[1].name}" in dockerfile


def test_one_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    out = converted(tmp_path, "greeting @ file:///nowhere/greeting-1.0-py3-none-any.whl")
    with pytest.raises(LocalRunError, match=r"the environment of a task \(greeting @ file"):
        run_dag(RunRequest(out=out, dag_id="d", python=Path(sys.executable)), clock=VirtualClock())
