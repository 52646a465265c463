"""Tasks of mapped groups with rules that fire early end as in Airflow, and have seen as much when they started.

By default, when they start is tested on a virtual clock alone (`unit/lowering/test_joins_in_groups.py`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow_model import fingerprint
from equivalence import difference, machine_outcomes

from orkestra_bridge.options import ConvertOptions
from orkestra_bridge.pipeline import convert

if TYPE_CHECKING:
    from airflow_process import Airflow

    from orkestra_bridge.options import Maps

pytestmark = pytest.mark.skipif("ORKESTRA_EQUIVALENCE" not in os.environ, reason="takes half a minute")
FILE = Path(__file__).parents[1] / "data" / "early_groups.py"


@pytest.fixture(scope="module")
def theirs(airflow3: Airflow) -> dict[str, Any]:
    with airflow3.runs([FILE]) as wait_for_airflow:
        return wait_for_airflow()


@pytest.mark.parametrize("maps", ["auto", "distributed"])
def test_early_rules_in_groups_end_as_in_airflow(maps: Maps, theirs: dict[str, Any], tmp_path: Path) -> None:
    options = ConvertOptions(paths=(FILE,), out=tmp_path / "out", layers="skip", cache=None, maps=maps)
    ours = {dag_id: (outcome, why) for dag_id, outcome, why in machine_outcomes(convert(options))}
    assert ours.keys() == theirs.keys()
    wrong = {
        dag_id: f"{ours[dag_id][1]} {difference(ours[dag_id][0], {fingerprint(outcome): outcome})}".strip()
        for dag_id, outcome in theirs.items()
    }
    assert not any(wrong.values()), wrong


def test_airflow_has_started_them_at_the_first_match(theirs: dict[str, Any]) -> None:
    for outcome in theirs.values():
        seen = [outcome["xcom"].get(f"race.one_success[{i}]", {}).get("return_value") for i in range(3)]
        assert seen == [None, 20, None]  # first came the fast branch, the slow one, and the fast one
    given = {
        dag_id: [
            outcome["xcom"][f"race.given_{rule}[1]"]["return_value"] for rule in ("one_success", "one_failed")
        ]
        for dag_id, outcome in theirs.items()
    }
    assert given == {"early_literal": [[2, 20], [2, None]], "early_open": [[2, None], [2, None]]}
