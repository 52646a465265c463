"""A kept answer is used without starting a worker, and only as long as it is right."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from orkestra_bridge.errors import EnvironmentSetupError
from orkestra_bridge.frontend.discovery import discover
from orkestra_bridge.frontend.loader import Frontend

if TYPE_CHECKING:
    from pathlib import Path

    from orkestra_bridge.frontend.model import Environment, LoadedFile

DAG = """\
import os
from pathlib import Path
from airflow import DAG
from lib.names import NAME
from airflow.models import Variable

suffix = len(list(Path(__file__).with_name("tables").glob("*.sql")))
variable = Variable.get("orkestra_test_v", "v")
dag = DAG(f"{NAME}_{os.environ.get('ORKESTRA_TEST_SUFFIX', 'x')}_{suffix}_{variable}", schedule=None)
"""
VOLATILE = """\
import subprocess
from airflow import DAG

dag = DAG("volatile_" + subprocess.run(["echo", "a"], capture_output=True, text=True).stdout.strip(), schedule=None)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "dags"
    (root / "lib").mkdir(parents=True)
    (root / "tables").mkdir()
    (root / "lib" / "names.py").write_text("NAME = 'one'\n")
    (root / "a.py").write_text(DAG)
    (root / "b.py").write_text(DAG.replace("NAME}_", "NAME}_b_"))
    return root


def load(environment: Environment, folder: Path, cache: Path | None) -> list[LoadedFile]:
    with Frontend(environment, parse_timeout=30, cache=cache) as frontend:
        return list(frontend.load(discover([folder]).files))


def ids(loaded: list[LoadedFile]) -> list[tuple[str, bool]]:
    return [(workflow.dag_id, file.cached) for file in loaded for workflow in file.workflows]


def test_second_time_no_interpreter_is_started(airflow_3: Environment, folder: Path, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {airflow_3.python} "$@"\n')
    python.chmod(0o755)
    environment = replace(airflow_3, python=python)
    first = load(environment, folder, tmp_path / "cache")
    assert ids(first) == [("one_x_0_v", False), ("one_b_x_0_v", False)]
    python.write_text("#!/bin/sh\nexit 9\n")
    second = load(environment, folder, tmp_path / "cache")
    assert [file.workflows for file in second] == [file.workflows for file in first]
    assert all(file.cached for file in second)
    with pytest.raises(EnvironmentSetupError, match="code 9"):
        load(environment, folder, None)


def test_whatever_it_was_made_from_counts(
    airflow_3: Environment, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    load(airflow_3, folder, cache)
    (folder / "lib" / "names.py").write_text("NAME = 'two'\n")
    assert ids(load(airflow_3, folder, cache)) == [("two_x_0_v", False), ("two_b_x_0_v", False)]
    (folder / "tables" / "t.sql").write_text("select 1")
    assert ids(load(airflow_3, folder, cache)) == [("two_x_1_v", False), ("two_b_x_1_v", False)]
    monkeypatch.setenv("ORKESTRA_TEST_SUFFIX", "y")
    assert ids(load(airflow_3, folder, cache)) == [("two_y_1_v", False), ("two_b_y_1_v", False)]
    monkeypatch.setenv("AIRFLOW_VAR_ORKESTRA_TEST_V", "w")
    assert ids(load(airflow_3, folder, cache)) == [("two_y_1_w", False), ("two_b_y_1_w", False)]
    assert ids(load(airflow_3, folder, cache)) == [("two_y_1_w", True), ("two_b_y_1_w", True)]


def test_missing_module_is_looked_for_again(airflow_3: Environment, folder: Path, tmp_path: Path) -> None:
    (folder / "b.py").write_text(
        "from airflow import DAG\nimport later\ndag = DAG(later.NAME, schedule=None)\n"
    )
    first = load(airflow_3, folder, tmp_path / "cache")
    assert [finding.id for finding in first[1].findings] == ["OB103"]
    again = load(airflow_3, folder, tmp_path / "cache")
    assert again[1].cached
    assert again[1].findings == first[1].findings
    (folder / "later.py").write_text("NAME = 'later'\n")
    assert ids(load(airflow_3, folder, tmp_path / "cache"))[1] == ("later", False)


def test_answers_from_outside_are_asked_for_again(airflow_3: Environment, tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "v.py").write_text(VOLATILE)
    for _ in range(2):
        assert ids(load(airflow_3, tmp_path / "dags", tmp_path / "cache")) == [("volatile_a", False)]


def test_without_a_cache_nothing_is_kept(airflow_3: Environment, folder: Path) -> None:
    for _ in range(2):
        assert not any(file.cached for file in load(airflow_3, folder, None))
