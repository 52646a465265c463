"""LatestOnlyOperator decides as Airflow's own does, around the ticks of cron and period schedules."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from orkestra_bridge.runtime.loading import FACADE

AIRFLOW2 = "ORKESTRA_AIRFLOW2_PYTHON"
ROOT = Path(__file__).parents[3]
PROGRAM = ROOT / "tests" / "support" / "latest_only.py"


def decisions(python: str, major: int, *, facade: bool) -> dict[str, bool]:
    path = {"PYTHONPATH": f"{FACADE}{os.pathsep}{ROOT}"} if facade else {}
    done = subprocess.run(
        [python, str(PROGRAM), str(major)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **path},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, bool] = json.loads(done.stdout.splitlines()[-1])
    return found


def compare(python: str, major: int) -> None:
    theirs = decisions(python, major, facade=False)
    assert set(theirs.values()) == {True, False}
    assert decisions(sys.executable, major, facade=True) == theirs


def test_the_latest_run_is_the_one_of_airflow_3() -> None:
    if not version("apache-airflow").startswith("3."):
        pytest.skip("this environment has no Airflow 3")
    compare(sys.executable, 3)


@pytest.mark.airflow2
def test_the_latest_run_is_the_one_of_airflow_2() -> None:
    if AIRFLOW2 not in os.environ:
        pytest.skip(f"{AIRFLOW2} is not set")
    compare(os.environ[AIRFLOW2], 2)
