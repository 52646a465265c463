"""What a task that updates assets says about them, and what a task of a run that assets started finds."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from invocations import event

from orkestra_bridge.runtime import asset_events
from orkestra_bridge.runtime.errors import AssetEventError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


HEAD = """
from airflow.sdk import DAG, Asset, AssetAlias, Metadata, asset, task, get_current_context
from airflow.exceptions import AirflowSkipException
from airflow.providers.standard.operators.empty import EmptyOperator
raw = Asset("raw", "S3://bucket/raw/", extra={"of": "the asset"})
other = Asset("s3://bucket/other")
some = AssetAlias("some")
"""


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """Return a function that returns what has been put into the folder for events."""
    folder = tmp_path / "events"
    monkeypatch.setenv("ORKESTRA_ASSET_EVENTS", str(folder))
    return lambda: [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def dag(body: str, arguments: str = "outlets=[raw, other]") -> str:
    lines = "\n".join(f"        {line}" for line in body.splitlines())
    return f"{HEAD}\nwith DAG('d', schedule=None):\n    @task({arguments})\n    def t(**context):\n{lines}\n    t()\n"


def test_one_event_tells_of_all_outlets(unpack: Any, told: Any) -> None:
    run = {"run_id": "r1", "logical_date": "2024-03-01T00:00:00Z"}
    unpack(dag("return 1")).run(event("t", run=run, map_index=-1))
    (detail,) = told()
    assert detail["keys"] == [
        "uri s3://bucket/raw",
        "name raw",
        "uri s3://bucket/other",
        "name s3://bucket/other",
    ]
    first, second = detail["events"]
    assert (first["name"], first["uri"], first["extra"]) == ("raw", "s3://bucket/raw", {})
    assert first["timestamp"] == second["timestamp"] == detail["timestamp"]
    source = {key: first[f"source_{key}"] for key in ("dag_id", "run_id", "task_id", "map_index")}
    assert source == {"dag_id": "d", "run_id": "r1", "task_id": "t", "map_index": -1}
    assert first["data_interval"] == ["2024-03-01T00:00:00+00:00"] * 2


@pytest.mark.parametrize(
    "body",
    [
        "context['outlet_events'][raw].extra = {'rows': 3}",
        "context['outlet_events'][Asset.ref(name='raw')].extra['rows'] = 3",
        "context['outlet_events'].for_asset(uri='s3://bucket/raw').extra['rows'] = 3",
        "yield Metadata(raw, {'rows': 3})",
    ],
)
def test_extras(unpack: Any, told: Any, body: str) -> None:
    unpack(dag(body)).run(event("t"))
    ((first, second),) = (detail["events"] for detail in told())
    assert (first["extra"], second["extra"]) == ({"rows": 3}, {})


@pytest.mark.parametrize(
    "body",
    [
        "context['outlet_events'][some].add(raw, extra={'n': 1})",
        "yield Metadata(raw, {'n': 1}, alias=some)",
    ],
)
def test_aliases(unpack: Any, told: Any, body: str) -> None:
    unpack(dag(body, "outlets=[some]")).run(event("t"))
    (detail,) = told()
    assert detail["keys"] == ["uri s3://bucket/raw", "name raw", "alias some"]
    (found,) = detail["events"]
    assert (found["aliases"], found["extra"]) == (["some"], {"n": 1})


def test_an_alias_without_assets_makes_no_event(unpack: Any, told: Any) -> None:
    unpack(dag("return 1", "outlets=[some]")).run(event("t"))
    assert told() == []


@pytest.mark.parametrize("body", ["raise AirflowSkipException()", "raise ValueError()"])
def test_a_task_that_did_not_succeed_tells_nothing(unpack: Any, told: Any, body: str) -> None:
    package = unpack(dag(body))
    with suppress(ValueError):
        package.run(event("t"))
    assert told() == []


def test_an_empty_operator_with_outlets_tells_of_them(unpack: Any, told: Any) -> None:
    source = f"{HEAD}\nwith DAG('d', schedule=None):\n    EmptyOperator(task_id='t', outlets=[raw])\n"
    unpack(source).run(event("t"))
    assert [detail["keys"][0] for detail in told()] == ["uri s3://bucket/raw"]


def test_the_uris_are_those_that_airflow_made(unpack: Any, told: Any) -> None:
    package = unpack(dag("return 1", "outlets=[Asset('db', 'postgres://host/db/s/t')]"))
    (task,) = package.manifest["workflow"]["tasks"]
    task["outlets"] = [{"kind": "asset", "name": "db", "uri": "postgres://host:5432/db/s/t"}]
    package.run(event("t"))
    (detail,) = told()
    assert detail["keys"] == ["uri postgres://host:5432/db/s/t", "name db"]


def test_extra_that_is_no_json_fails_the_task(unpack: Any, told: Any) -> None:
    with pytest.raises(AssetEventError, match="no JSON"):
        unpack(dag("context['outlet_events'][raw].extra = {'x': object()}")).run(event("t"))


class Bus:
    """EventBridge, as boto3 has it."""

    def __init__(self, **answer: Any) -> None:
        self.answer = answer
        self.entries: list[dict[str, Any]] = []

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.entries += Entries
        return {"Entries": [self.answer]}


def test_events_go_to_the_bus() -> None:
    bus = Bus(EventId="1")
    asset_events._put_on_bus("{}", "mine", client=bus)
    assert bus.entries == [
        {
            "Source": "orkestra-bridge.assets",
            "DetailType": "Asset event",
            "Detail": "{}",
            "EventBusName": "mine",
        }
    ]


def test_a_bus_that_takes_no_event_fails_the_task() -> None:
    with pytest.raises(AssetEventError, match="mine took no asset event: no"):
        asset_events._put_on_bus("{}", "mine", client=Bus(ErrorCode="X", ErrorMessage="no"))


def test_an_event_that_is_too_large_fails_the_task() -> None:
    with pytest.raises(AssetEventError, match="262144"):
        asset_events.put({"keys": [], "x": "y" * 262_144}, {"ORKESTRA_ASSET_EVENTS": "bus:default"})


TRIGGERED = {
    "run_type": "asset_triggered",
    "run_id": "asset_triggered__x",
    "triggered_at": "2024-03-01T10:00:00+00:00",
    "asset_events": [
        {
            "keys": ["uri s3://bucket/raw", "name raw", "alias some"],
            "name": "raw",
            "uri": "s3://bucket/raw",
            "aliases": ["some"],
            "extra": {"n": number},
            "timestamp": f"2024-03-01T0{number}:00:00+00:00",
            "source_dag_id": "makes",
            "source_run_id": "r",
            "source_task_id": "t",
            "source_map_index": -1,
            "data_interval": ["2024-02-28T00:00:00+00:00", "2024-02-29T00:00:00+00:00"],
        }
        for number in (1, 2)
    ],
}
LOOK = """
found = context["triggering_asset_events"]
events = found[raw]
assert list(found[some]) == list(events) and found.for_asset(name="raw") == events
assert context["dag_run"].logical_date is None and "ds" not in context
return {
    "extra": [each.extra["n"] for each in events],
    "assets": [getattr(key, "uri", key.name) for key in found],
    "source": events[0].source_dag_run.run_id,
    "type": str(context["dag_run"].run_type.value),
    "hour": events[1].timestamp.hour,
    "consumed": len(context["dag_run"].consumed_asset_events),
}
"""


def test_a_run_that_assets_started_knows_their_events(unpack: Any) -> None:
    entry = unpack(dag(LOOK.strip(), "")).run(event("t", run=TRIGGERED))
    assert entry["xcom"]["return_value"] == {
        "extra": [1, 2],
        "assets": ["s3://bucket/raw", "some"],
        "source": "r",
        "type": "asset_triggered",
        "hour": 2,
        "consumed": 2,
    }


LOOK_2 = """
events = context["triggering_dataset_events"]["s3://bucket/raw"]
return [[each.extra["n"] for each in events], context["ds"], str(context["data_interval_start"])[:10]]
"""


def test_airflow_2_dates_such_a_run_by_its_events(unpack: Any) -> None:
    run = {**TRIGGERED, "run_type": "dataset_triggered"}
    source = dag(LOOK_2.strip(), "").replace(
        HEAD, "from airflow import DAG\nfrom airflow.decorators import task\n"
    )
    entry = unpack(source, version="2.11.0").run(event("t", run=run))
    assert entry["xcom"]["return_value"] == [[1, 2], "2024-03-01", "2024-02-28"]


def test_a_run_that_something_else_started_has_no_events(unpack: Any) -> None:
    entry = unpack(dag("return len(context['triggering_asset_events'])", "")).run(event("t"))
    assert entry["xcom"]["return_value"] == 0


def test_a_mapped_task_has_all_of_the_context(unpack: Any) -> None:
    """Somebody who takes the whole context looks at every key of it."""
    source = f"""{HEAD}
with DAG("d", schedule=None):
    @task
    def t(x, **context):
        return len(context["inlet_events"])
    t.expand(x=[1])
"""
    entry = unpack(source).run(event("t", map_index=0))
    assert entry["xcom"]["return_value"] == 0
