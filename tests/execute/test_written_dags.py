"""DAGs written by hand for what the generator does not make: setups and teardowns.

The same files are parsed and run by Airflow 2 and 3 and must end alike: states and tries of all tasks, XComs, run state.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow_model import fingerprint
from equivalence import difference, machine_outcomes, translated

if TYPE_CHECKING:
    from airflow_process import Airflow

FOLDER = Path(__file__).parents[1] / "data" / "written"
APART = (
    "branches",
    "containers",
    "large_values",
    "mapped_groups",
    "mapping",
    "retry_policies",
    "setup_teardown",
    "virtualenv",
)
"""Files that take so long that each is a test, so that workers can share them."""
SHARES = {
    **{name: [FOLDER / f"{name}.py"] for name in APART},
    "others": sorted(path for path in FOLDER.glob("*.py") if path.stem not in APART),
}
LONG = ("containers", "large_values", "mapped_groups", "mapping", "retry_policies", "virtualenv")
"""Compared with Airflow 2 by default, and with 3 where there is time."""
shares = pytest.mark.parametrize("share", SHARES)


@pytest.mark.parametrize(
    "share",
    [
        pytest.param(
            name,
            marks=pytest.mark.skipif(
                name in LONG and "ORKESTRA_EQUIVALENCE" not in os.environ, reason="takes more than a minute"
            ),
        )
        for name in SHARES
    ],
)
def test_written_dags_end_as_in_airflow_3(share: str, airflow3: Airflow, tmp_path: Path) -> None:
    compare(SHARES[share], airflow3, tmp_path)


@shares
@pytest.mark.airflow2
def test_written_dags_end_as_in_airflow_2(share: str, airflow2: Airflow, tmp_path: Path) -> None:
    compare(SHARES[share], airflow2, tmp_path)


def compare(files: list[Path], airflow: Airflow, folder: Path) -> None:
    conversion = translated(files, folder / "out", airflow)
    with airflow.runs(files) as wait_for_airflow:
        ours = {dag_id: (outcome, why) for dag_id, outcome, why in machine_outcomes(conversion)}
        theirs = wait_for_airflow()
    assert ours.keys() == theirs.keys()
    compared = {dag_id: wrongness(*ours[dag_id], outcome) for dag_id, outcome in theirs.items()}
    assert {dag_id: text for dag_id, text in compared.items() if text} == {}


def wrongness(outcome: Any, why: str, expected: dict[str, Any]) -> str:
    return f"{why} {difference(outcome, {fingerprint(expected): expected})}".strip()
