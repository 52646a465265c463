"""What is refused is translated where the user says so, and the exit code is the one that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from commands import Done, bridge

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """\
from datetime import datetime
from airflow.sdk import dag, task


@dag(schedule="@daily", start_date=datetime(2024, 1, 1), catchup=False)
def ledger():
    @task(depends_on_past=True)
    def close(): ...

    close()


ledger()
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("allowing")
    (folder / "ledger.py").write_text(SOURCE)
    return folder


def convert(home: Path, *options: str) -> Done:
    common = ("ledger.py", "-o", "out", "--layers", "skip", "--cache-dir", "cache", "--format", "json")
    return bridge("convert", *common, *options, cwd=home)


@pytest.mark.parametrize(
    ("options", "code", "verdict"),
    [
        ([], 1, "refused"),
        (["--error-level", "never"], 0, "refused"),
        (["--allow", "OB206"], 0, "translated"),
        (["--allow", "OB206", "--allow", "OB424", "--error-level", "warning"], 0, "translated"),
    ],
)
def test_verdict_and_exit_code(home: Path, options: list[str], code: int, verdict: str) -> None:
    done = convert(home, *options)
    (dag,) = done.json()["dags"]
    assert (done.code, dag["verdict"]) == (code, verdict), done.err
    assert (home / "out" / "ledger" / "template.json").exists() is (verdict == "translated")
    finding = next(each for each in dag["findings"] if each["id"] == "OB206")
    assert (finding["line"], finding["dag_place"]) == (10, "ledger.py:13")
    assert finding["allowed"] is (verdict == "translated")


def test_an_id_that_does_not_exist_is_wrong_usage(home: Path) -> None:
    done = convert(home, "--allow", "OB999")
    assert (done.code, done.out) == (2, "")
    assert "there is no finding 'OB999'" in done.err
