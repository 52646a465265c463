"""The partition of a run: where its key comes from, what a task finds, and what the events of its outlets say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from invocations import event

from orkestra_bridge.runtime import asset_events
from orkestra_bridge.runtime.rundates import Run, resolve_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOURLY: dict[str, Any] = {
    "kind": "cron",
    "expressions": ["0 * * * *"],
    "timezone": "UTC",
    "data_interval": False,
    "partitions": {"by": "cron", "key_format": "%Y-%m-%dT%H", "offset": -1},
}
AT_RUNTIME: dict[str, Any] = {"kind": "none", "partitions": {"by": "runtime", "key_format": "", "offset": 0}}
TICK = "2024-03-01T05:00:00Z"


def resolved(document: dict[str, Any], schedule: dict[str, Any] = HOURLY) -> Run:
    return resolve_run(document, {"start_time": "2024-03-01T10:20:30Z"}, schedule, major=3)


def partition(run: Run) -> tuple[str | None, str | None]:
    return run.partition_key, run.partition_date.isoformat() if run.partition_date else None


def test_a_scheduled_run_is_about_a_partition_and_has_no_dates() -> None:
    run = resolved({"scheduled_time": TICK})
    assert partition(run) == ("2024-03-01T04", "2024-03-01T04:00:00+00:00")
    assert not run.dated
    assert run.run_after.isoformat() == "2024-03-01T05:00:00+00:00"
    plain, _, unique = run.run_id.rpartition("__")
    assert plain == "scheduled__2024-03-01T05:00:00+00:00__2024-03-01T04"
    assert len(unique) == 8
    assert resolved({"scheduled_time": TICK}).run_id == run.run_id


def test_a_backfill_is_about_the_partition_that_begins_at_its_date() -> None:
    run = resolved({"run_type": "backfill", "logical_date": TICK})
    assert partition(run) == ("2024-03-01T05", "2024-03-01T05:00:00+00:00")
    assert run.run_id.startswith("backfill__2024-03-01T05:00:00+00:00__2024-03-01T05__")


def test_a_manual_run_is_about_no_partition_but_the_one_it_is_given() -> None:
    assert partition(resolved({})) == (None, None)
    run = resolved({"partition_key": "2024-01-01T00"})
    assert partition(run) == ("2024-01-01T00", "2024-01-01T00:00:00+00:00")
    assert (run.dated, run.run_id) == (True, "manual__2024-03-01T10:20:30+00:00")


def test_a_key_that_is_given_at_run_time_means_no_moment() -> None:
    assert partition(resolved({"partition_key": "us"}, AT_RUNTIME)) == ("us", None)
    assert partition(resolved({}, AT_RUNTIME)) == (None, None)


@pytest.mark.parametrize(
    ("key", "schedule", "why"),
    [
        ("us", {"kind": "none"}, "not partitioned"),
        ("us", HOURLY, "does not match format"),
        (" ", AT_RUNTIME, "1 to 250 characters"),
        ("k" * 251, AT_RUNTIME, "1 to 250 characters"),
        (7, AT_RUNTIME, "1 to 250 characters"),
    ],
)
def test_keys_that_a_dag_does_not_take(key: Any, schedule: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        resolved({"partition_key": key}, schedule)


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    folder = tmp_path / "events"
    monkeypatch.setenv("ORKESTRA_ASSET_EVENTS", str(folder))

    def read() -> list[dict[str, Any]]:
        found = [json.loads(path.read_text()) for path in folder.glob("*.json")]
        return sorted(found, key=asset_events.type_of)

    return read


def loaded(unpack: Any, body: str, schedule: dict[str, Any], outlets: str = "[one, two]") -> Any:
    lines = "\n".join(f"        {line}" for line in body.splitlines())
    package = unpack(
        "from airflow.sdk import DAG, Asset, AssetAlias, CronPartitionTimetable, PartitionedAtRuntime, task\n"
        "one, two, some = Asset('one'), Asset('two'), AssetAlias('some')\n"
        f"with DAG('d', schedule=None):\n    @task(outlets={outlets})\n    def t(**context):\n{lines}\n    t()\n"
    )
    package.manifest["workflow"]["schedule"] = schedule
    return package


def test_a_task_finds_the_partition_of_its_run(unpack: Any) -> None:
    body = (
        "run = context['dag_run']\n"
        "assert (run.partition_key, run.partition_date) == (context['partition_key'], context['partition_date'])\n"
        "assert run.logical_date is None and run.data_interval_start is None and 'ds' not in context\n"
        "return [run.partition_key, run.partition_date.add(hours=1).isoformat(), run.run_type.value]"
    )
    package = loaded(unpack, body, HOURLY, "[]")
    entry = package.run(event("t", run={"run_type": "scheduled", "scheduled_time": TICK}))
    assert entry["xcom"]["return_value"] == ["2024-03-01T04", "2024-03-01T05:00:00+00:00", "scheduled"]


def shown(detail: dict[str, Any]) -> list[tuple[str, str | None, str | None]]:
    return [
        (each["name"], each.get("partition_key"), each.get("partition_date")) for each in detail["events"]
    ]


def test_events_have_the_key_of_their_run_or_those_that_the_task_adds(unpack: Any, told: Any) -> None:
    body = "context['outlet_events'][two].add_partitions(['2024-03-01T04', 'b', 'b'])"
    loaded(unpack, body, HOURLY).run(event("t", run={"scheduled_time": TICK}))
    (detail,) = told()
    date = "2024-03-01T04:00:00+00:00"
    key = "2024-03-01T04"
    assert shown(detail) == [("one", key, date), ("two", key, date), ("two", "b", None)]
    assert asset_events.type_of(detail) == "Partitioned asset event"


def test_an_event_through_an_alias_has_the_key_of_the_run(unpack: Any, told: Any) -> None:
    body = "context['outlet_events'][some].add(one)"
    loaded(unpack, body, HOURLY, "[some]").run(event("t", run={"scheduled_time": TICK}))
    ((found,),) = (detail["events"] for detail in told())
    assert (found["partition_key"], found["aliases"]) == ("2024-03-01T04", ["some"])


def test_events_without_a_key_are_told_apart_from_those_with_one(unpack: Any, told: Any) -> None:
    body = "context['outlet_events'][two].add_partitions('us')"
    loaded(unpack, body, AT_RUNTIME).run(event("t"))
    plain, keyed = told()
    assert [asset_events.type_of(each) for each in (plain, keyed)] == [
        "Asset event",
        "Partitioned asset event",
    ]
    assert (shown(plain), plain["keys"]) == ([("one", None, None)], ["uri one", "name one"])
    assert (shown(keyed), keyed["keys"]) == ([("two", "us", None)], ["uri two", "name two"])


def test_many_partitions_are_told_of_in_several_events(unpack: Any, told: Any) -> None:
    body = "context['outlet_events'][one].add_partitions([f'{n:0240}' for n in range(500)])"
    loaded(unpack, body, AT_RUNTIME, "[one]").run(event("t"))
    details = told()
    assert len(details) > 1
    assert len({each["partition_key"] for detail in details for each in detail["events"]}) == 500
    assert all(len(json.dumps(detail)) < asset_events.PARTITIONS_LIMIT + 1000 for detail in details)


BY_ASSETS: dict[str, Any] = {"kind": "asset", "partitions": {"by": "assets", "rollup": False}}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"partition_key": "2024-05"}, ["2024-05", "2024-05-01T00:00:00+00:00"]),
        ({}, [None, None]),
        (
            {"partition_key": "2024-05", "triggered_at": TICK, "run_type": "asset_triggered"},
            ["2024-05", None],
        ),
        ({"partition_key": "us"}, "does not match format"),
    ],
)
def test_the_mappers_know_the_date_of_a_key_that_is_given_by_hand(
    unpack: Any, document: dict[str, Any], expected: Any
) -> None:
    package = unpack(
        "from airflow.sdk import DAG, Asset, PartitionedAssetTimetable, StartOfMonthMapper, task\n"
        "mapped = PartitionedAssetTimetable(Asset('a') & Asset('b'), default_partition_mapper=StartOfMonthMapper())\n"
        "with DAG('d', schedule=mapped):\n"
        "    @task\n"
        "    def t(partition_key, partition_date):\n"
        "        return [partition_key, partition_date and partition_date.isoformat()]\n"
        "    t()\n"
    )
    package.manifest["workflow"]["schedule"] = BY_ASSETS
    if isinstance(expected, str):
        with pytest.raises(ValueError, match=expected):
            package.run(event("t", run=document))
    else:
        assert package.run(event("t", run=document))["xcom"]["return_value"] == expected
