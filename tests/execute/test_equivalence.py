"""Generated DAGs end as in Airflow: states and tries of all task instances, XComs, run state.

Where the result depends on the order in which tasks finish, all results are right that Airflow can give, and no other;
`airflow_model` works them out, and Airflow's own result has to be among them. DAGs with mapped tasks and task groups are
compared with Airflow's own result, and left out where a skip and a failure have met.

ORKESTRA_EQUIVALENCE sets the number of DAGs, ORKESTRA_EQUIVALENCE_SEED the first seed; the seeds are in the tests' names.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from airflow_model import fingerprint
from dag_generator import Features, generate
from equivalence import difference, differences, machine_outcomes, minimised, translated
from mapped_generator import is_race, written

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from airflow_process import Airflow

DEFAULT = 180
"""Beside them, there is one with mapped tasks for every nine."""
COUNT = int(os.environ.get("ORKESTRA_EQUIVALENCE", DEFAULT))
FIRST = int(os.environ.get("ORKESTRA_EQUIVALENCE_SEED", "0"))
LARGE = COUNT > DEFAULT
BATCH = 50


def batches(count: int, size: int) -> list[range]:
    return [range(start, min(start + size, FIRST + count)) for start in range(FIRST, FIRST + count, size)]


BATCHES = batches(COUNT, BATCH)
WITH_AIRFLOW_2 = BATCHES[: max(len(BATCHES) // 3, 1)]
MAPPED = batches(COUNT // 9, 20)
SKIPPED_BEFORE_A_FAILURE = (302, 426, 762, 1070)
"""Seeds of DAGs in which a skip is seen before a failure, or a failure before a skip that comes over it."""
ONCE_TOLD_WRONGLY = (5030, 5129)
"""Seeds of DAGs that the model told wrongly: a command that fails for good, a None that is pulled in a list."""
MINIMISED = 3
"""DAGs per batch that are worth the time."""


def name_of(seeds: Sequence[int]) -> str:
    return f"seeds {seeds[0]}-{seeds[-1]}"


@pytest.mark.parametrize("seeds", BATCHES, ids=name_of)
def test_generated_dags_end_as_in_airflow_3(seeds: range, airflow3: Airflow, tmp_path: Path) -> None:
    compare(seeds, airflow3, tmp_path, large=LARGE)


def test_what_is_seen_first_decides(airflow3: Airflow, tmp_path: Path) -> None:
    compare(SKIPPED_BEFORE_A_FAILURE, airflow3, tmp_path, large=True)


@pytest.mark.airflow2
@pytest.mark.parametrize("seeds", WITH_AIRFLOW_2, ids=name_of)
def test_generated_dags_end_as_in_airflow_2(seeds: range, airflow2: Airflow, tmp_path: Path) -> None:
    compare(seeds, airflow2, tmp_path, large=LARGE)


@pytest.mark.airflow2
def test_what_the_model_once_told_wrongly(airflow2: Airflow, tmp_path: Path) -> None:
    compare(ONCE_TOLD_WRONGLY, airflow2, tmp_path, large=True)


@pytest.mark.parametrize("seeds", MAPPED, ids=name_of)
def test_generated_mapped_dags_end_as_in_airflow_3(seeds: range, airflow3: Airflow, tmp_path: Path) -> None:
    compare_mapped(seeds, airflow3, tmp_path)


@pytest.mark.airflow2
@pytest.mark.parametrize("seeds", MAPPED[:1], ids=name_of)
def test_generated_mapped_dags_end_as_in_airflow_2(seeds: range, airflow2: Airflow, tmp_path: Path) -> None:
    compare_mapped(seeds, airflow2, tmp_path)


def features_of(seed: int, *, large: bool) -> Features:
    """Setups change what everything around them means, so that most DAGs have none; so does `fail_fast`."""
    fail_fast = seed % 10 == 5
    setups = seed % 20 == 5 if fail_fast else seed % 4 == 3
    return Features(setups=setups, fail_fast=fail_fast, tasks=(2, 10) if large else (2, 5))


def compare(seeds: Sequence[int], airflow: Airflow, folder: Path, *, large: bool) -> None:
    plans = [generate(seed, features_of(seed, large=large), major=airflow.major) for seed in seeds]
    found = differences(plans, folder, airflow)
    texts = [f"{one.plan.dag_id}: the {one.culprit}'s outcome is {one.text}" for one in found]
    for number, one in enumerate(found[:MINIMISED]):
        texts[number] += f"\n  smallest DAG that differs: {minimised(one, folder, airflow)}"
    assert not found, "\n".join([name_of(seeds), *texts])


def compare_mapped(seeds: range, airflow: Airflow, folder: Path) -> None:
    file = folder / "mapped.py"
    file.write_text(written(seeds), encoding="utf-8")
    with airflow.runs([file]) as wait_for_airflow:
        conversion = translated([file], folder / "out", airflow)
        ours = {dag_id: (outcome, why) for dag_id, outcome, why in machine_outcomes(conversion)}
        theirs = wait_for_airflow()
    wrong, races = [], 0
    for seed in seeds:
        dag_id = f"mapped_{seed}"
        (outcome, why), expected = ours[dag_id], theirs[dag_id]
        text = difference(outcome, {fingerprint(expected): expected})
        if outcome is not None and is_race(workflow_of(folder / "out" / dag_id), expected):
            races += 1
        elif text:
            alone = folder / f"{dag_id}.py"
            alone.write_text(written([seed]), encoding="utf-8")
            wrong.append(f"{dag_id}: {text} {why}\n  the DAG alone: {alone}")
    assert not wrong, "\n".join([name_of(seeds), *wrong])
    assert races <= len(seeds) // 2, "most DAGs have to be comparable"


def workflow_of(folder: Path) -> dict[str, list[dict[str, list[str]]]]:
    found: dict[str, list[dict[str, list[str]]]] = json.loads((folder / "workflow.json").read_text("utf-8"))
    return found
