"""Tasks that wait end as in Airflow: sensors in both modes, deferred tasks, and DAGs that start or watch each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from airflow_model import fingerprint
from equivalence import difference, machine_outcomes, translated

if TYPE_CHECKING:
    from airflow_process import Airflow

FOLDER = Path(__file__).parents[1] / "data" / "sensors"
FILES = [FOLDER / name for name in ("sensors.py", "events.py", "between_dags.py")]


def test_sensors_end_as_in_airflow_3(airflow3: Airflow, tmp_path: Path) -> None:
    compare(airflow3, tmp_path)


@pytest.mark.airflow2
def test_sensors_end_as_in_airflow_2(airflow2: Airflow, tmp_path: Path) -> None:
    compare(airflow2, tmp_path)


def compare(airflow: Airflow, folder: Path) -> None:
    ours, theirs = (past(folder / name) for name in ("ours", "theirs"))
    conversion = translated(FILES, folder / "out", airflow)
    with airflow.runs(FILES, environment=theirs) as wait_for_airflow:
        outcomes = {dag_id: (outcome, why) for dag_id, outcome, why in machine_outcomes(conversion, ours)}
        expected = wait_for_airflow()
    assert outcomes.keys() == expected.keys()
    wrong = {
        dag_id: f"{outcomes[dag_id][1]} {difference(outcomes[dag_id][0], {fingerprint(one): one})}".strip()
        for dag_id, one in expected.items()
    }
    assert not any(wrong.values()), wrong


def past(folder: Path) -> dict[str, str]:
    """Return an environment in which nothing has been counted yet."""
    folder.mkdir()
    return {"SENSORS_FOLDER": str(folder)}
