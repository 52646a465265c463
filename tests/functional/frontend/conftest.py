"""The environments that the frontend is tested with: the installed Airflow, and Airflow 2 where there is one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orkestra_bridge.frontend.environments import resolve_environment
from orkestra_bridge.options import AirflowSource

if TYPE_CHECKING:
    from orkestra_bridge.frontend.model import Environment

VARIABLE = "ORKESTRA_AIRFLOW2_PYTHON"


@pytest.fixture(scope="session")
def airflow_3() -> Environment:
    environment = resolve_environment(AirflowSource(), None)
    if environment.airflow_major < 3:
        pytest.skip("the installed Airflow is not Airflow 3")
    return environment


@pytest.fixture(scope="session")
def airflow_2() -> Environment:
    python = os.environ.get(VARIABLE)
    if not python:
        pytest.skip(f"{VARIABLE} does not name a Python with Airflow 2")
    return resolve_environment(AirflowSource(python=Path(python)), None)


@pytest.fixture(scope="session", params=["airflow_3", pytest.param("airflow_2", marks=pytest.mark.airflow2)])
def environment(request: pytest.FixtureRequest) -> Environment:
    found: Environment = request.getfixturevalue(request.param)
    return found
