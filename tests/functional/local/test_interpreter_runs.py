"""Functions that run with an interpreter which their task names by its path, from the DAG file to the end of a run."""

from __future__ import annotations

import json
import subprocess
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

DAG = """
from datetime import datetime
from airflow import DAG
from airflow.decorators import task
from airflow.operators.python import BranchExternalPythonOperator, ExternalPythonOperator

def sees(word):
    import importlib.util, sys
    return [word, importlib.util.find_spec("airflow") is not None, list(sys.version_info[:2])]

def chooses():
    return "chosen"

with DAG("d", start_date=datetime(2024, 1, 1), schedule=None):
    @task.external_python(python="{python}")
    def own(x):
        import importlib.util
        return [x, importlib.util.find_spec("airflow") is None]

    ExternalPythonOperator(task_id="classic", python="{python}", python_callable=sees, op_args=["{{{{ ds }}}}"])
    branch = BranchExternalPythonOperator(task_id="branch", python="{python}", python_callable=chooses)

    @task
    def chosen():
        return "ran"

    @task
    def other():
        return "must not run"

    own(5)
    branch >> [chosen(), other()]
"""


def interpreter(home: Path, *distributions: tuple[str, str, str]) -> Path:
    """Return the Python of a virtual environment with the metadata of some distributions: name, version, address."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    [site] = home.glob("lib/python3*/site-packages")
    for name, version, url in distributions:
        folder = site / f"{name}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        if url:
            (folder / "direct_url.json").write_text(f'{{"url": "{url}", "dir_info": {{}}}}')
    return home / "bin" / "python"


def converted(home: Path, python: Path | str) -> Conversion:
    (home / "dag.py").write_text(DAG.format(python=python), encoding="utf-8")
    return convert(ConvertOptions(paths=(home / "dag.py",), out=home / "out", layers="skip", cache=None))


def test_functions_run_with_what_their_interpreter_has(tmp_path: Path) -> None:
    conversion = converted(tmp_path, interpreter(tmp_path / "venv"))
    assert conversion.translated == ("d",), conversion.report.dags[0].findings
    request = RunRequest(out=conversion.out, dag_id="d", python=Path(sys.executable))
    result = run_dag(request, clock=VirtualClock())
    states = {name: task.state for name, task in result.tasks.items()}
    assert states == {**dict.fromkeys(["own", "classic", "branch", "chosen"], "success"), "other": "skipped"}
    assert result.tasks["own"].xcom == {"return_value": [5, True]}
    word, sees_airflow, version = result.tasks["classic"].xcom["return_value"]
    assert len(word) == len("2024-03-01")
    assert not sees_airflow
    assert version == list(sys.version_info[:2])


def test_here_it_is_the_interpreter_itself(tmp_path: Path) -> None:
    python = interpreter(tmp_path / "my venv")
    [site] = (tmp_path / "my venv").glob("lib/python3*/site-packages")
    # no index has it: it is there only with this very interpreter
    (site / "airflow.py").write_text("")
    conversion = converted(tmp_path, python)
    note = conversion.out / ".runs" / ".pythons" / "d.json"
    assert list(json.loads(note.read_bytes())["tasks"].values()) == [str(python)]
    files = [path for path in (conversion.out / "d").rglob("*") if path.is_file()]
    assert not any(sys.executable.encode() in path.read_bytes() for path in files)
    request = RunRequest(out=conversion.out, dag_id="d", python=Path(sys.executable))
    result = run_dag(request, clock=VirtualClock())
    assert result.tasks["classic"].xcom["return_value"][1] is True


def test_the_interpreter_of_airflow_is_that_of_the_function(tmp_path: Path) -> None:
    conversion = converted(tmp_path, sys.executable)
    [dag] = conversion.report.dags
    assert conversion.translated == ("d",), dag.findings
    about = [finding for finding in dag.findings if finding.id == "OB242"]
    assert {finding.task_id for finding in about} == {"own", "classic", "branch"}
    assert not (conversion.out / "d" / "container").exists()


def test_an_image_has_the_distributions_of_the_interpreter(tmp_path: Path) -> None:
    python = interpreter(tmp_path / "venv", ("six", "1.16.0", ""), ("attrs", "23.1.0", ""))
    conversion = converted(tmp_path, python)
    [listing] = (conversion.out / "d" / "container" / "environments").glob("*.txt")
    assert listing.read_text() == "attrs==23.1.0\nsix==1.16.0\n"
    dockerfile = (conversion.out / "d" / "container" / "Dockerfile").read_text()
    version = ".".join(map(str, sys.version_info[:2]))
    assert f"uv venv --python {version} /environments/{listing.stem}" in dockerfile
    assert "--no-deps" in dockerfile


@pytest.mark.parametrize(
    ("python", "rule", "text"),
    [
        ("/nowhere/bin/python", "OB244", "the interpreter /nowhere/bin/python has is not known"),
        ("{{ params.python }}", "OB244", "is not on this machine, or does not say"),
        ("local", "OB243", "mine of the interpreter"),
    ],
)
def test_what_cannot_be_had_again_is_refused(tmp_path: Path, python: str, rule: str, text: str) -> None:
    if python == "local":
        python = str(interpreter(tmp_path / "venv", ("mine", "1.0", "file:///home/me/mine")))
    [dag] = converted(tmp_path, python).report.dags
    errors = [finding for finding in dag.findings if finding.severity is Severity.ERROR]
    assert {finding.id for finding in errors} == {rule}
    assert len(errors) == 3
    assert all(text in finding.message for finding in errors)
