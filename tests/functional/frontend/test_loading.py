"""How files are loaded: order, several workers, folders that must not see each other, early ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orkestra_bridge.errors import EnvironmentSetupError
from orkestra_bridge.frontend.discovery import discover
from orkestra_bridge.frontend.loader import Frontend

if TYPE_CHECKING:
    from orkestra_bridge.frontend.model import Environment

DAG = "from airflow import DAG\ndag = DAG('{}', schedule=None)\n"


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def ids(frontend: Frontend, *folders: Path) -> list[str]:
    loaded = frontend.load(discover(list(folders)).files)
    return [workflow.dag_id for file in loaded for workflow in file.workflows]


def test_several_workers_and_a_crash_keep_the_order(airflow_3: Environment, tmp_path: Path) -> None:
    files = {f"f{number:02}.py": DAG.format(f"d{number:02}") for number in range(24)}
    files["f05.py"] += "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"
    write(tmp_path, files)
    with Frontend(airflow_3, parse_timeout=30, cache=None, workers=2) as frontend:
        assert not frontend.working
        assert ids(frontend, tmp_path) == [f"d{number:02}" for number in range(24) if number != 5]


def test_folders_may_have_modules_of_one_name(airflow_3: Environment, tmp_path: Path) -> None:
    dag = "from airflow import DAG\nfrom lib import NAME\ndag = DAG(NAME, schedule=None)\n"
    one = write(tmp_path / "one", {"dag.py": dag, "lib.py": "NAME = 'first'\n"})
    two = write(tmp_path / "two", {"dag.py": dag, "lib/__init__.py": "NAME = 'second'\n"})
    with Frontend(airflow_3, parse_timeout=30, cache=None) as frontend:
        assert ids(frontend, one, two) == ["first", "second"]


def test_a_run_that_is_given_up_does_not_disturb_the_next(airflow_3: Environment, tmp_path: Path) -> None:
    write(tmp_path, {f"f{number}.py": DAG.format(f"d{number}") for number in range(12)})
    with Frontend(airflow_3, parse_timeout=30, cache=None) as frontend:
        loading = frontend.load(discover([tmp_path]).files)
        assert next(loading).workflows[0].dag_id == "d0"
        loading.close()  # type: ignore[attr-defined]
        assert ids(frontend, tmp_path / "f7.py") == ["d7"]


def test_children_of_user_code_are_ended_too(airflow_3: Environment, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    source = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(note)!r}, 'w').write(str(child.pid))\n"
    )
    write(tmp_path / "dags", {"f.py": DAG.format("d") + source})
    with Frontend(airflow_3, parse_timeout=30, cache=None) as frontend:
        assert ids(frontend, tmp_path / "dags") == ["d"]
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and _runs(int(note.read_text())):
        time.sleep(0.05)
    assert not _runs(int(note.read_text()))


def _runs(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    try:
        return state.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_fork_of_user_code_does_not_answer(airflow_3: Environment, tmp_path: Path) -> None:
    write(tmp_path, {"a.py": DAG.format("forks") + "import os\nos.fork()\n", "b.py": DAG.format("next")})
    with Frontend(airflow_3, parse_timeout=30, cache=None) as frontend:
        assert ids(frontend, tmp_path) == ["forks", "next"]


def test_dag_of_a_factory_stands_in_the_dag_file(airflow_3: Environment, tmp_path: Path) -> None:
    factory = "from airflow import DAG\ndef make(name):\n    return DAG(name, schedule=None)\n"
    write(
        tmp_path,
        {"factory.py": factory, "dag.py": "# airflow dag\nfrom factory import make\n\nmine = make('mine')\n"},
    )
    with Frontend(airflow_3, parse_timeout=30, cache=None) as frontend:
        (loaded,) = [file for file in frontend.load(discover([tmp_path]).files) if file.workflows]
    assert (loaded.workflows[0].span.file, loaded.workflows[0].span.line) == ("dag.py", 4)


def test_python_without_airflow_is_said_so(airflow_3: Environment, tmp_path: Path) -> None:
    base = Path(sys.base_prefix) / "bin" / "python3"
    probe = subprocess.run([base, "-c", "import airflow"], capture_output=True, check=False)
    if probe.returncode == 0:
        pytest.skip("the base Python has Airflow, too")
    write(tmp_path, {"a.py": DAG.format("a")})
    environment = replace(airflow_3, python=base)
    with (
        Frontend(environment, parse_timeout=30, cache=None) as frontend,
        pytest.raises(EnvironmentSetupError, match="No module named 'airflow'"),
    ):
        ids(frontend, tmp_path)


def test_scratch_folder_is_removed(
    airflow_3: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    write(tmp_path / "dags", {"a.py": DAG.format("a")})
    with Frontend(airflow_3, parse_timeout=30, cache=None) as frontend:
        assert ids(frontend, tmp_path / "dags") == ["a"]
    assert list(scratch.iterdir()) == []


def test_links_to_the_dag_folder_do_not_hide_the_place(airflow_3: Environment, tmp_path: Path) -> None:
    source = (
        "# airflow dag\nimport os, sys\nsys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))\n"
        "sys.path_importer_cache.clear()\nimport helper\n"
    )
    write(tmp_path / "real", {"dag.py": source, "helper.py": "x = 1\nraise KeyError(x)\n"})
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    with Frontend(airflow_3, parse_timeout=30, cache=None) as frontend:
        found = [
            str(finding)
            for file in frontend.load(discover([tmp_path / "link"]).files)
            for finding in file.findings
        ]
    assert any(f"OB111 error {tmp_path}/link/helper.py:2 " in text for text in found)


POLICIES = """
from airflow.exceptions import AirflowClusterPolicySkipDag, AirflowClusterPolicyViolation
def dag_policy(dag):
    if dag.dag_id == "skipped":
        raise AirflowClusterPolicySkipDag("not here")
    if dag.dag_id == "forbidden":
        raise AirflowClusterPolicyViolation("no owner")
def task_policy(task):
    task.queue = "{}"
"""


def test_cluster_policies_hold(
    airflow_3: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "etc", {"airflow_local_settings.py": POLICIES.replace("{}", "big")})
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "etc"), prepend=os.pathsep)
    task = "from airflow.sdk import BaseOperator\nBaseOperator(task_id='t', dag=dag)\n"
    write(
        tmp_path / "dags", {f"{name}.py": DAG.format(name) + task for name in ("a", "forbidden", "skipped")}
    )

    def load() -> list[tuple[list[str], list[object], bool]]:
        with Frontend(airflow_3, parse_timeout=30, cache=tmp_path / "cache") as frontend:
            return [
                (
                    [finding.id for finding in file.findings],
                    [
                        value.value
                        for dag in file.workflows
                        for value in dag.tasks[0].attributes
                        if value.name == "queue"
                    ],
                    file.cached,
                )
                for file in frontend.load(discover([tmp_path / "dags"]).files)
            ]

    assert load() == [([], ["big"], False), (["OB111"], [], False), (["OB122"], [], False)]
    write(tmp_path / "etc", {"airflow_local_settings.py": POLICIES.replace("{}", "small")})
    assert load() == [([], ["small"], False), (["OB111"], [], False), (["OB122"], [], False)]
    assert all(cached for _, _, cached in load())
