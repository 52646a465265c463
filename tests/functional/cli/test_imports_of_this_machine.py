"""Imports that would fail in Lambda are found while converting, each at its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from commands import bridge

if TYPE_CHECKING:
    from pathlib import Path

DAG = """\
from datetime import datetime

from airflow.decorators import dag, task
{top}


@dag(dag_id="etl", schedule=None, start_date=datetime(2024, 1, 1))
def etl():
    @task
    def work():
        {inside}

    work()


etl()
"""
CASES = {
    "missing_requirement": ("", "import no_such_distribution", "OB401", 11),
    "missing_local_module": (
        "import helpers.tables",
        "from helpers import gone; import helpers.lost",
        "OB402",
        11,
    ),
    "search_path_hack": (
        "import sys\nsys.path.insert(0, '{elsewhere}')\nimport only_here",
        "pass",
        "OB403",
        6,
    ),
    "folder_above": ("", "from dags.helpers import tables", "OB403", 11),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_with_file_and_line(name: str, tmp_path: Path) -> None:
    top, inside, rule, line = CASES[name]
    elsewhere = tmp_path / "elsewhere"
    for path in ("dags/helpers/__init__.py", "dags/helpers/tables.py", "elsewhere/only_here.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("X = 1\n")
    (tmp_path / "dags" / "etl.py").write_text(DAG.format(top=top.format(elsewhere=elsewhere), inside=inside))
    options = ("--layers", "skip", "--no-cache", "--format", "json", "-o", "out")
    done = bridge("convert", "dags/etl.py", *options, cwd=tmp_path)
    assert done.code == 1, done.err
    (dag,) = done.json()["dags"]
    found = {
        (each["id"], each["file"], each["line"]) for each in dag["findings"] if each["severity"] == "error"
    }
    assert (rule, "dags/etl.py", line) in found
