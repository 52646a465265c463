"""A conversion after another one into the same folder: what has not changed stays, everything else is written."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from commands import Done, bridge

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HELPED = """
from airflow.sdk import dag, task
from helper import amount

@dag(schedule="@daily")
def {name}():
    @task
    def work():
        return amount()
    work()

{name}()
"""
PLAIN = HELPED.replace("from helper import amount\n", "").replace("amount()", "1")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two DAGs that have been converted; every test leaves it so, whatever it changes before."""
    home = tmp_path_factory.mktemp("again")
    (home / "dags").mkdir()
    (home / "dags" / "helped.py").write_text(HELPED.format(name="helped"))
    (home / "dags" / "plain.py").write_text(PLAIN.format(name="plain"))
    (home / "dags" / "helper.py").write_text("def amount():\n    return 1\n")
    assert convert(home).code == 0
    return home


def convert(home: Path, *more: str) -> Done:
    command = ["convert", "dags", "-o", "out", "--layers", "skip", "--cache-dir", "cache", "--format", "json"]
    return bridge(*command, *more, cwd=home)


def content(home: Path) -> dict[str, bytes]:
    out = home / "out"
    return {
        str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()
    }


def stamps(home: Path) -> dict[str, tuple[int, int]]:
    """Return what tells whether a DAG's folder has been written again."""
    return {
        each.name: (each.stat().st_ino, each.stat().st_mtime_ns)
        for each in (home / "out").iterdir()
        if each.is_dir()
    }


def written(home: Path, *more: str) -> set[str]:
    """Return the DAGs that another conversion writes."""
    before = stamps(home)
    assert convert(home, *more).code == 0
    return {name for name, stamp in stamps(home).items() if before.get(name) != stamp}


def empty(cache: Path) -> None:
    with closing(sqlite3.connect(cache, isolation_level=None)) as reports:
        reports.execute("update kept set value = '{}'")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda home: (home / "dags/helper.py").write_text("def amount():\n    return 2\n"), {"helped"}),
        (lambda home: (home / "dags/plain.py").write_text(PLAIN.format(name="plain") + "# 2\n"), {"plain"}),
        (lambda home: (home / "dags/helper.py").chmod(0o755), {"helped"}),
        (lambda home: (home / "out/plain/template.json").write_text("{}"), {"plain"}),
        (lambda home: (home / "out/plain/functions/tasks.zip").unlink(), {"plain"}),
        (lambda home: (home / "out/plain/notes.txt").write_text("mine"), {"plain"}),
        (lambda home: (home / "cache/dags.db").write_text("["), {"helped", "plain"}),
        (lambda home: empty(home / "cache/dags.db"), {"helped", "plain"}),
    ],
    ids=["module", "dag file", "mode", "edited output", "missing output", "added output", "broken cache", "empty cache"],
)  # fmt: skip
def test_what_has_changed_is_written_again(
    home: Path, change: Callable[[Path], object], expected: set[str]
) -> None:
    change(home)
    assert written(home) == expected


def test_other_options_give_another_output(home: Path) -> None:
    (home / "requirements.txt").write_text("requests==2.31.0\n")
    options = ("--memory", "1024", "--requirements", "requirements.txt")
    assert written(home, *options) == {"helped", "plain"}
    assert written(home, *options) == set()
    (home / "requirements.txt").write_text("requests==2.32.0\n")
    assert written(home, *options) == {"helped", "plain"}
    assert written(home) == {"helped", "plain"}


def test_what_stays_is_what_a_conversion_without_a_cache_writes(home: Path) -> None:
    assert written(home) == set()
    found = content(home)
    assert convert(home, "--no-cache").code == 0
    assert content(home) == found


def test_the_report_of_a_dag_that_stays_has_its_findings(home: Path) -> None:
    first = json.loads((home / "out" / "report.json").read_text())
    again = convert(home).json()
    assert again == first
    assert all(dag["findings"] for dag in again["dags"])


def test_nothing_that_translates_is_imported_where_nothing_has_changed(home: Path) -> None:
    program = (
        "import sys\nfrom orkestra_bridge.cli.main import main\n"
        "try:\n    main()\nfinally:\n    print(sorted(sys.modules), file=sys.stderr)\n"
    )
    command = ["convert", "dags", "-o", "out", "--layers", "skip", "--cache-dir", "cache", "--format", "json"]
    done = subprocess.run(
        [sys.executable, "-c", program, *command],
        cwd=home,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not {"'orkestra_bridge.drafting'", "'orkestra_bridge.lowering.machine'", "'airflow'"} & set(
        done.stderr.strip("[]\n").split(", ")
    )
