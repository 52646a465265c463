"""`orkestra-bridge convert`, as a user calls it."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from typing import TYPE_CHECKING

import pytest
from commands import Done, bridge

from orkestra_bridge.asl.check import check
from orkestra_bridge.lowering.container import DEFINITION, PLACE
from orkestra_bridge.lowering.join import TABLE
from orkestra_bridge.lowering.task import FUNCTION

if TYPE_CHECKING:
    from pathlib import Path

DAG_FILES = {"state_machine.asl.json", "template.json", "workflow.json", "graph.mmd"}


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def converted(sample_dags: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """The sample DAGs, converted once in a folder of their own."""
    home = tmp_path_factory.mktemp("convert")
    shutil.copytree(sample_dags, home / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    done = bridge(
        "convert", "dags", "-o", "out", "--layers", "skip", "--no-cache", "--format", "json", cwd=home
    )
    return home, done


def test_all_samples_are_translated(converted: tuple[Path, Done]) -> None:
    home, done = converted
    assert done.code == 0, done.err
    report = done.json()
    assert report["tool"] == "orkestra-bridge"
    assert report["summary"]["refused"] == 0
    assert report["summary"]["translated"] == len(report["dags"]) == 19
    assert json.loads((home / "out" / "report.json").read_text()) == report


def test_each_dag_has_all_its_files(converted: tuple[Path, Done]) -> None:
    home, done = converted
    for dag in done.json()["dags"]:
        folder = home / "out" / dag["dag_id"]
        assert {path.name for path in folder.iterdir()} >= DAG_FILES
        with zipfile.ZipFile(folder / "functions" / "tasks.zip") as package:
            assert "manifest.json" in package.namelist()
        definition = json.loads((folder / "state_machine.asl.json").read_text())
        assert check(definition, placeholders=(FUNCTION, TABLE, DEFINITION, *PLACE), expressions=True) == ()


def test_the_report_has_the_agreed_fields(converted: tuple[Path, Done]) -> None:
    dag = next(dag for dag in converted[1].json()["dags"] if dag["dag_id"] == "feature_store")
    assert {
        "dag_id", "file", "line", "verdict", "tasks", "states", "transitions", "relaxed_edges", "schedule", "findings",
    } <= set(dag)  # fmt: skip
    assert dag["file"] == "dags/feature_store.py"
    assert dag["relaxed_edges"] == 1
    assert not [finding for finding in dag["findings"] if finding["severity"] != "info"]
    finding = dag["findings"][0]
    assert set(finding) == {
        "id", "severity", "verdict", "attribute", "dag_id", "task_id", "file", "line", "message", "remedy",
        "allowed", "dag_place",
    }  # fmt: skip


def test_the_same_input_gives_the_same_bytes(converted: tuple[Path, Done], tmp_path: Path) -> None:
    home, _ = converted
    shutil.copytree(home / "dags", tmp_path / "elsewhere" / "dags")
    for path in (tmp_path / "elsewhere").rglob("*.py"):
        path.touch()
    again = bridge(
        "convert",
        "dags",
        "-o",
        "out",
        "--layers",
        "skip",
        "--no-cache",
        cwd=tmp_path / "elsewhere",
        PYTHONHASHSEED="7",
    )
    assert again.code == 0
    assert files_of(tmp_path / "elsewhere" / "out") == files_of(home / "out")


def test_a_second_conversion_comes_from_the_cache_and_says_the_same(
    converted: tuple[Path, Done], tmp_path: Path
) -> None:
    home, done = converted
    arguments = (
        "convert",
        "dags",
        "--layers",
        "skip",
        "--format",
        "json",
        "--cache-dir",
        os.path.relpath(tmp_path / "cache", home),
    )
    first = bridge(*arguments, "-o", str(tmp_path / "one"), cwd=home)
    second = bridge(*arguments, "-o", str(tmp_path / "two"), cwd=home)
    assert first.out == second.out == done.out
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")


def test_neither_airflow_nor_the_cdk_is_imported_here(converted: tuple[Path, Done]) -> None:
    import subprocess
    import sys

    program = (
        "import sys\n"
        "from orkestra_bridge.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nfinally:\n"
        "    print(sorted({'airflow', 'aws_cdk', 'jsii', 'boto3'} & set(sys.modules)), file=sys.stderr)\n"
    )
    arguments = ["convert", "dags/hourly_etl.py", "-o", "out2", "--layers", "skip", "--no-cache"]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=converted[0],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"


def test_the_table_fits_80_columns(converted: tuple[Path, Done]) -> None:
    done = bridge("convert", "dags/billing.py", "-o", "out3", "--layers", "skip", cwd=converted[0])
    assert done.code == 0
    table = done.out.split("of 2 DAGs translated")[0].splitlines()
    assert all(len(line) <= 80 for line in table)
    assert "billing_invoices" in done.out


def test_convert_and_run_in_one_command(converted: tuple[Path, Done]) -> None:
    done = bridge(
        "convert", "dags/regional_sales.py", "-o", "out4", "--layers", "skip", "--run", cwd=converted[0]
    )
    assert done.code == 0, done.out + done.err
    assert "summarise" in done.out
