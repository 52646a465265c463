"""Airflow's own example DAGs end as in Airflow, and `docs/examples-equivalence.md` says so.

Its parts are written by the tests of all examples, with ``--rewrite-goldens``; that of Airflow 3 wants
ORKESTRA_EQUIVALENCE to be set.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from example_dags import PAGE, SAME, examples, installed, page_with, section

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_process import Airflow

QUICK = (
    "asset_alias_example_alias_consumer",
    "example_asset_state_store_consumer",
    "example_asset_state_store_producer",
    "example_nested_branch_dag",
    "example_short_circuit_decorator",
    "example_setup_teardown_taskflow",
    "example_task_group",
    "example_task_mapping_second_order",
    "example_task_state_store_mapped",
    "example_xcom",
    "read_asset_event",
    "read_asset_event_from_classic",
    "tutorial_dag",
)


def test_some_examples_end_as_in_airflow_3(airflow3: Airflow, tmp_path: Path) -> None:
    found = examples(airflow3, tmp_path, only=QUICK)
    assert {example.dag_id: example.verdict for example in found} == dict.fromkeys(QUICK, SAME)
    lines = PAGE.read_text("utf-8").splitlines()
    assert all(example.line() in lines for example in found), "the page is old"


@pytest.mark.skipif("ORKESTRA_EQUIVALENCE" not in os.environ, reason="takes minutes")
def test_the_page_says_how_the_examples_of_airflow_3_end(
    airflow3: Airflow, tmp_path: Path, *, rewrite_goldens: bool
) -> None:
    compare_page(airflow3, tmp_path, rewrite=rewrite_goldens)


@pytest.mark.airflow2
def test_the_page_says_how_the_examples_of_airflow_2_end(
    airflow2: Airflow, tmp_path: Path, *, rewrite_goldens: bool
) -> None:
    compare_page(airflow2, tmp_path, rewrite=rewrite_goldens)


def compare_page(airflow: Airflow, folder: Path, *, rewrite: bool) -> None:
    version, _ = installed(airflow)
    found = examples(airflow, folder)
    assert [example.line() for example in found if not example.known] == []
    text = page_with(section(version, found))
    if rewrite:
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text("utf-8") == text, f"the page is old, or about another version than {version}"
