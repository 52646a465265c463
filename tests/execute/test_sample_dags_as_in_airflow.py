"""The sample DAGs end as in Airflow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from airflow_model import fingerprint
from equivalence import difference, machine_outcomes, translated

if TYPE_CHECKING:
    from airflow_process import Airflow

SETTINGS = {
    "AIRFLOW_VAR_THRESHOLDS": '{"low": 7}',
    "AIRFLOW_CONN_SHOP_API": "https://user:pass@shop.example:8443",
}


def test_sample_dags_end_as_in_airflow_3(sample_dags: Path, airflow3: Airflow, tmp_path: Path) -> None:
    conversion = translated([sample_dags], tmp_path / "out", airflow3)
    files = sorted({Path(dag.file) for dag in conversion.report.dags})
    with airflow3.runs(files, "--folder", str(sample_dags), environment=SETTINGS) as wait_for_airflow:
        ours = {dag_id: outcome for dag_id, outcome, _ in machine_outcomes(conversion, SETTINGS)}
        theirs = wait_for_airflow()
    assert ours.keys() == theirs.keys()
    assert len(ours) >= len(files)
    wrong = {
        dag_id: difference(ours[dag_id], {fingerprint(outcome): outcome})
        for dag_id, outcome in theirs.items()
    }
    assert not any(wrong.values()), wrong
