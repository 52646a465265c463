"""The Airflows to compare with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from airflow_process import Airflow

if TYPE_CHECKING:
    from collections.abc import Iterator

AIRFLOW2 = "ORKESTRA_AIRFLOW2_PYTHON"
_INSTALLED = "import importlib.metadata as m; print(m.version('apache-airflow').split('.')[0])"


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder of empty metadata databases, shared by all workers of this run."""
    own = tmp_path_factory.getbasetemp()
    return (own if worker_id == "master" else own.parent) / "oracle"


@pytest.fixture(scope="session")
def airflow3(databases: Path) -> Iterator[Airflow]:
    """The Airflow 3 of this environment."""
    done = subprocess.run([sys.executable, "-c", _INSTALLED], capture_output=True, text=True, check=True)
    if done.stdout.strip() != "3":
        pytest.skip("this environment has no Airflow 3")
    yield from serving(Path(sys.executable), 3, databases)


@pytest.fixture(scope="session")
def airflow2(databases: Path) -> Iterator[Airflow]:
    """The Airflow 2 that the environment names."""
    if AIRFLOW2 not in os.environ:
        pytest.skip(f"{AIRFLOW2} is not set")
    yield from serving(Path(os.environ[AIRFLOW2]), 2, databases)


def serving(python: Path, major: int, scratch: Path) -> Iterator[Airflow]:
    airflow = Airflow(python, major, scratch)
    yield airflow
    airflow.close()
