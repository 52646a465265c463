"""Airflow's own example of partitions, converted and run here."""

from __future__ import annotations

from importlib.metadata import distribution, version
from pathlib import Path

import pytest
from commands import bridge

from orkestra_bridge.options import ConvertOptions
from orkestra_bridge.pipeline import convert

EXAMPLE = "airflow/example_dags/example_asset_partition.py"
pytestmark = pytest.mark.skipif(
    tuple(map(int, version("apache-airflow").split(".")[:2])) < (3, 3), reason="partitions are Airflow 3.3's"
)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("partitions") / "out"
    file = Path(str(distribution("apache-airflow-core").locate_file(EXAMPLE)))
    convert(ConvertOptions(paths=(file,), out=folder, layers="skip", cache=None))
    return folder


def test_a_run_is_about_the_partition_that_it_is_given(out: Path) -> None:
    done = bridge("run", "ingest_region_stats", "--partition-key", "us", "--out", str(out), cwd=out)
    assert done.code == 0, done.err
    logs = "\n".join(path.read_text() for path in out.glob(".runs/manual__*/ingest_region.log"))
    assert "dag_run partition key us context partition key us" in logs


@pytest.mark.parametrize(
    ("dag_id", "key", "why"),
    [
        ("ingest_team_a_player_stats", "us", "does not match format"),
        ("ingest_region_stats", " ", "250 characters"),
    ],
)
def test_a_key_that_the_dag_does_not_take_is_refused(out: Path, dag_id: str, key: str, why: str) -> None:
    done = bridge("run", dag_id, "--partition-key", key, "--out", str(out), cwd=out)
    assert (done.code, why in done.err) == (2, True), done.err
