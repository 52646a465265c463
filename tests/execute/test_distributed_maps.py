"""Mapped tasks and groups whose instances are executions of their own end as in Airflow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_model import fingerprint
from equivalence import difference, machine_outcomes

from orkestra_bridge.options import ConvertOptions
from orkestra_bridge.pipeline import convert

if TYPE_CHECKING:
    from airflow_process import Airflow

FILE = Path(__file__).parents[1] / "data" / "distributed.py"


def test_distributed_maps_end_as_in_airflow(airflow3: Airflow, tmp_path: Path) -> None:
    options = ConvertOptions(
        paths=(FILE,), out=tmp_path / "out", layers="skip", cache=None, maps="distributed"
    )
    conversion = convert(options)
    with airflow3.runs([FILE]) as wait_for_airflow:
        ours = {dag_id: (outcome, why) for dag_id, outcome, why in machine_outcomes(conversion)}
        theirs = wait_for_airflow()
    definition = json.loads((tmp_path / "out" / "distributed" / "state_machine.asl.json").read_text())
    assert json.dumps(definition).count('"DISTRIBUTED"') == 4
    assert ours.keys() == theirs.keys()
    wrong = {
        dag_id: f"{ours[dag_id][1]} {difference(ours[dag_id][0], {fingerprint(outcome): outcome})}".strip()
        for dag_id, outcome in theirs.items()
    }
    assert not any(wrong.values()), wrong
