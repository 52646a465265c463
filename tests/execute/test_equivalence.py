"""Generated DAGs end as in Airflow: states and tries of all task instances, XComs, run state.

Where the result depends on the order in which tasks finish, all results are right that Airflow can give, and no other;
`airflow_model` works them out, and Airflow's own result has to be among them.

ORKESTRA_EQUIVALENCE sets the number of DAGs, ORKESTRA_EQUIVALENCE_SEED the first seed; the seeds are in the tests' names.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from dag_generator import Features, generate
from equivalence import differences, minimised

if TYPE_CHECKING:
    from pathlib import Path

    from equivalence import Airflow

COUNT = int(os.environ.get("ORKESTRA_EQUIVALENCE", "60"))
FIRST = int(os.environ.get("ORKESTRA_EQUIVALENCE_SEED", "0"))
BATCH = 20 if COUNT <= 200 else 50
BATCHES = [range(start, min(start + BATCH, FIRST + COUNT)) for start in range(FIRST, FIRST + COUNT, BATCH)]
WITH_AIRFLOW_2 = BATCHES[: max(len(BATCHES) // 3, 1)]
MINIMISED = 3
"""DAGs per batch that are worth the time."""


def name_of(seeds: range) -> str:
    return f"seeds {seeds.start}-{seeds.stop - 1}"


@pytest.mark.parametrize("seeds", BATCHES, ids=name_of)
def test_generated_dags_end_as_in_airflow_3(seeds: range, airflow3: Airflow, tmp_path: Path) -> None:
    compare(seeds, airflow3, tmp_path)


@pytest.mark.airflow2
@pytest.mark.parametrize("seeds", WITH_AIRFLOW_2, ids=name_of)
def test_generated_dags_end_as_in_airflow_2(seeds: range, airflow2: Airflow, tmp_path: Path) -> None:
    compare(seeds, airflow2, tmp_path)


def features_of(seed: int) -> Features:
    """Setups change what everything around them means, so that most DAGs have none."""
    return Features(setups=seed % 4 == 3)


def compare(seeds: range, airflow: Airflow, folder: Path) -> None:
    plans = [generate(seed, features_of(seed), major=airflow.major) for seed in seeds]
    found = differences(plans, folder, airflow)
    texts = [f"{one.plan.dag_id}: the {one.culprit}'s outcome is {one.text}" for one in found]
    for number, one in enumerate(found[:MINIMISED]):
        texts[number] += f"\n  smallest DAG that differs: {minimised(one, folder, airflow)}"
    assert not found, "\n".join([name_of(seeds), *texts])
