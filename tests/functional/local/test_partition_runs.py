"""Airflow's own example of partitions, converted and run here: an hour of three teams, and a day of one of them."""

from __future__ import annotations

import json
import sys
from importlib.metadata import distribution, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from commands import bridge

from orkestra_bridge.local.interpreter import VirtualClock
from orkestra_bridge.local.partitions import hear_partitions
from orkestra_bridge.local.record import RunFolder
from orkestra_bridge.local.run import RunRequest, RunResult, run_dag
from orkestra_bridge.options import ConvertOptions
from orkestra_bridge.pipeline import convert

if TYPE_CHECKING:
    from orkestra_bridge.local.assets import Consumer

EXAMPLE = "airflow/example_dags/example_asset_partition.py"
OWN_MAPPER = """
from airflow.partition_mappers.base import PartitionMapper


class ByCountry(PartitionMapper):
    def __init__(self, length):
        super().__init__()
        self.length = length

    def to_downstream(self, key):
        return [key[: self.length], "world"]
"""
OWN_DAG = """
from airflow.sdk import DAG, Asset, PartitionedAssetTimetable, PartitionedAtRuntime, task
from mappers import ByCountry

sales = Asset("sales")

with DAG("sells", schedule=PartitionedAtRuntime()):
    @task(outlets=[sales])
    def sell(outlet_events):
        outlet_events[sales].add_partitions(["de-1", "de-2"])
    sell()

with DAG("counts", schedule=PartitionedAssetTimetable(assets=sales, default_partition_mapper=ByCountry(2))):
    @task
    def count(partition_key, triggering_asset_events):
        return [partition_key, sorted(each.partition_key for each in triggering_asset_events[sales])]
    count()

with DAG("is_not_partitioned", schedule=[sales]):
    @task
    def never():
        pass
    never()
"""
pytestmark = pytest.mark.skipif(
    tuple(map(int, version("apache-airflow").split(".")[:2])) < (3, 3), reason="partitions are Airflow 3.3's"
)


def converted(file: Path, folder: Path) -> Path:
    report = convert(ConvertOptions(paths=(file,), out=folder, layers="skip", cache=None)).report
    assert {dag.verdict for dag in report.dags} == {"translated"}
    return folder


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = Path(str(distribution("apache-airflow-core").locate_file(EXAMPLE)))
    return converted(file, tmp_path_factory.mktemp("partitions") / "out")


def run(out: Path, dag_id: str, key: str | None = None, *, follow_assets: bool = True) -> RunResult:
    request = RunRequest(
        out=out, dag_id=dag_id, python=Path(sys.executable), partition_key=key, follow_assets=follow_assets
    )
    return run_dag(request, clock=VirtualClock())


def waiting(result: RunResult) -> dict[str, tuple[str, ...]]:
    return {each.dag_id: each.waits_for for each in result.consumers if each.document is None}


def log_of(result: RunResult, task_id: str) -> str:
    return (result.logs / f"{task_id}.log").read_text()


def test_a_run_is_about_the_partition_that_it_is_given(out: Path) -> None:
    done = bridge("run", "ingest_region_stats", "--partition-key", "us", "--out", str(out), cwd=out)
    assert done.code == 0, done.err
    logs = "\n".join(path.read_text() for path in out.glob(".runs/manual__*/ingest_region.log"))
    assert "dag_run partition key us context partition key us" in logs
    assert "assets: regional_stats_breakdown starts" in done.out


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


def test_an_hour_of_three_teams_is_combined_and_goes_on(out: Path) -> None:
    first = run(out, "ingest_team_a_player_stats", "2026-01-01T03:00:00")
    assert waiting(first)["clean_and_combine_player_stats"] == tuple(
        f"file://incoming/player-stats/team_{team}.csv (partition 2026-01-01T03)" for team in "bc"
    )
    run(out, "team_b_player_stats", "2026-01-01T03:15:00")
    last = run(out, "team_c_player_stats", "2026-01-01T03:30:00")
    combined, odds = last.triggered
    assert (combined.dag_id, odds.dag_id) == ("clean_and_combine_player_stats", "compute_player_odds")
    assert "2026-01-01T03 2026-01-01 03:00:00+00:00" in log_of(combined, "combine_player_stats")
    (started,) = (each.document for each in combined.consumers if each.document)
    assert (started["partition_key"], started["partition_date"]) == (
        "2026-01-01T03",
        "2026-01-01T03:00:00+00:00",
    )
    assert [each.dag_id for each in combined.consumers] == ["compute_player_odds"], "an hour is no year"


def put(folder: Path, number: int, key: str) -> None:
    moment = f"2026-01-02T00:00:{number:02}.000000+00:00"
    keys = ["uri file://incoming/player-stats/team_a.csv", "name team_a_player_stats"]
    event = {"keys": keys, "name": keys[1][5:], "uri": keys[0][4:], "timestamp": moment, "partition_key": key}
    folder.mkdir(exist_ok=True)
    (folder / f"{number}.json").write_text(json.dumps({"keys": keys, "timestamp": moment, "events": [event]}))


def heard(out: Path, hours: range) -> tuple[Consumer, ...]:
    """Let the launchers hear of hours of team A, and return what that means for the DAGs that wait."""
    request = RunRequest(out=out, dag_id="ingest_team_a_player_stats", python=Path(sys.executable))
    with RunFolder(out, "hours") as folder:
        for hour in hours:
            put(folder.asset_events, hour, f"2026-01-02T{hour:02}:00:00")
        clock = VirtualClock()
        return clock.run(hear_partitions(request, folder, clock))


def test_a_day_is_rolled_up_when_its_last_hour_is_there(out: Path) -> None:
    told = [each for each in heard(out, range(23)) if each.dag_id == "daily_team_a_rollup"]
    assert [each.waits_for for each in told[-1:]] == [
        ("file://incoming/player-stats/team_a.csv (partition 2026-01-02, 23 of 24 are there)",)
    ]
    (day,) = run(out, "ingest_team_a_player_stats", "2026-01-02T23:00:00").triggered
    assert "All 24 hourly partitions received. Day: 2026-01-02" in log_of(day, "summarise_team_a_day")
    assert waiting(day) == {
        "monthly_team_a_rollup": ("s3://team-a/daily (partition 2026-01, 1 of 31 are there)",)
    }


def test_a_mapper_of_the_users_is_called_in_the_function(tmp_path: Path) -> None:
    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "mappers.py").write_text(OWN_MAPPER)
    (dags / "sales.py").write_text(OWN_DAG)
    result = run(converted(dags, tmp_path / "out"), "sells")
    values: list[Any] = [each.tasks["count"].xcom["return_value"] for each in result.triggered]
    assert sorted(values) == [["de", ["de-1", "de-2"]], ["world", ["de-1", "de-2"]]]
    assert {each.dag_id for each in result.consumers} == {"counts"}
