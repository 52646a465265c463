"""The past events of assets: the recorder, executed on moto's DynamoDB, keeps what tasks of the DAG find."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from moto_tables import moto_table
from stacks import ACKNOWLEDGED, diagnosed, stack
from workflows import a_task

from orkestra_bridge.asl.check import check
from orkestra_bridge.ir.model import AssetCondition, ContextRead, SourceSpan
from orkestra_bridge.local.interpreter import TaskCall, VirtualClock, execute
from orkestra_bridge.runtime.asset_history import events_of, item_key
from orkestra_bridge.runtime.tables import DynamoTable
from orkestra_bridge.stack.asset_history import recorder_definition
from orkestra_bridge.stack.check import check_template

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
ORDERS, PRICES = (
    AssetCondition(kind="asset", name=name, uri=f"s3://shop/{name}") for name in ("orders", "prices")
)
SOME = AssetCondition(kind="alias", name="some")
KEYS = ("alias some", "name orders", "uri s3://shop/orders")


@pytest.fixture
def client() -> Iterator[Any]:
    with moto_table("history") as client:
        yield client


def event(asset: AssetCondition, number: int, **more: Any) -> Json:
    return {
        "keys": list(asset.keys),
        "name": asset.name,
        "uri": asset.uri,
        "extra": {"n": number},
        "timestamp": f"2024-03-01T00:00:{number:02}.000001+00:00",
        "source_run_id": "r",
        "source_task_id": "t",
        "source_map_index": -1,
        **more,
    }


def delivered(*events: Json) -> Json:
    """Return what EventBridge hands on."""
    keys = [key for each in events for key in each["keys"]]
    return {"id": "1", "detail": {"keys": keys, "timestamp": events[0]["timestamp"], "events": list(events)}}


def record(client: Any, *events: Json) -> str:
    async def put(call: TaskCall) -> Any:
        assert call.resource == "arn:aws:states:::dynamodb:putItem"
        client.put_item(**{**call.arguments, "TableName": "history"})
        return {}

    clock = VirtualClock()
    return clock.run(execute(recorder_definition(KEYS), delivered(*events), tasks=put, clock=clock)).status


def kept(client: Any) -> list[tuple[str, str]]:
    items = client.scan(TableName="history")["Items"]
    return sorted((item["scope"]["S"], item["key"]["S"]) for item in items)


def found(client: Any, monkeypatch: pytest.MonkeyPatch, *keys: str, **query: Any) -> list[int]:
    monkeypatch.setenv("ORKESTRA_ASSET_HISTORY", "dynamodb:history")
    monkeypatch.setattr(
        "orkestra_bridge.runtime.asset_history.table_of", lambda _: DynamoTable("history", client)
    )
    return [each["extra"]["n"] for each in events_of(keys, query.pop("of_run", ()), **query)]


def test_the_recorder_is_a_machine_that_we_can_check() -> None:
    placeholders = ("${AssetHistoryTable}",)
    assert check(recorder_definition(KEYS), placeholders=placeholders, expressions=True) == ()


def test_events_are_kept_by_each_key_that_is_looked_for(client: Any) -> None:
    through = event(PRICES, 2, keys=[*PRICES.keys, "alias some"])
    assert record(client, event(ORDERS, 1), event(PRICES, 1), through) == "SUCCEEDED"
    first, last = item_key(event(ORDERS, 1), 0), item_key(through, 2)
    assert kept(client) == [("alias some", last), ("name orders", first), ("uri s3://shop/orders", first)]


def test_one_event_is_one_item_however_often_it_comes(client: Any) -> None:
    for _ in range(3):
        assert record(client, event(ORDERS, 1)) == "SUCCEEDED"
    assert len(kept(client)) == 2


def test_an_event_of_somebody_else_needs_no_more_than_keys_and_a_moment(client: Any) -> None:
    foreign = {"keys": ["uri s3://shop/orders"], "timestamp": "2024-03-01T10:00:00.000000+00:00"}
    assert record(client, foreign) == "SUCCEEDED"
    assert kept(client) == [("uri s3://shop/orders", item_key(foreign, 0))]


def test_partitions_of_one_asset_are_events_of_their_own(client: Any) -> None:
    record(client, event(ORDERS, 1, partition_key="a"))
    record(client, event(ORDERS, 1, partition_key="b"))
    assert len(kept(client)) == 4


def test_tasks_find_what_was_recorded(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (3, 1, 2):
        record(client, event(ORDERS, number))
    both = ("uri s3://shop/orders", "name orders")
    assert found(client, monkeypatch, *both) == [1, 2, 3]
    assert found(client, monkeypatch, *both, ascending=False, limit=2) == [3, 2]
    moment = "2024-03-01T00:00:02.000001Z"
    assert found(client, monkeypatch, *both, after=moment) == [2, 3]
    assert found(client, monkeypatch, *both, before=moment) == [1, 2]
    assert found(client, monkeypatch, *both, after="2024-03-01T01:00:03+01:00", before="2024-03-02") == [3]
    assert found(client, monkeypatch, "alias some") == []


def test_events_of_the_run_are_found_before_they_are_recorded_and_once(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(client, event(ORDERS, 1))
    of_run = [event(ORDERS, 1), event(ORDERS, 2), event(PRICES, 3)]
    assert found(client, monkeypatch, "name orders", of_run=of_run) == [1, 2]


def template_of(*keys: str, **task: Any) -> Json:
    reads = tuple(ContextRead(key=key, span=SourceSpan("etl.py", 7), task_id="t") for key in keys)
    return stack(layer=False, tasks=(a_task("t", **task),), context_reads=reads).template


def test_a_dag_that_looks_back_has_a_table_and_a_rule_for_its_inlets() -> None:
    template = template_of("inlet_events", inlets=(ORDERS, SOME), outlets=(PRICES,))
    assert diagnosed(template) <= ACKNOWLEDGED
    assert check_template(template) == ()
    resources = template["Resources"]
    rule = resources["AssetHistoryRule"]["Properties"]
    assert rule["EventPattern"]["detail"] == {"keys": list(KEYS)}
    assert rule["EventPattern"]["detail-type"] == ["Asset event", "Partitioned asset event"]
    assert rule["EventBusName"] == {"Ref": "AssetEventBus"}
    [target] = rule["Targets"]
    assert target["Arn"] == {"Ref": "AssetRecorder"}
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["UndeliveredRuns", "Arn"]}}
    policy = resources["TasksFunctionRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    [allowed] = [each for each in policy if each["Sid"] == "ReadEvents"]
    assert allowed["Action"] == ["dynamodb:PutItem", "dynamodb:Query"]
    assert allowed["Resource"] == [{"Fn::GetAtt": ["AssetHistoryTable", "Arn"]}]
    variables = resources["TasksFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["ORKESTRA_ASSET_HISTORY"] == {"Fn::Sub": "dynamodb:${AssetHistoryTable}"}
    assert json.dumps(resources["AssetRecorderRole"]).count("dynamodb:") == 1


@pytest.mark.parametrize("keys", [(), ("task_state_store",)])
def test_other_dags_have_none(keys: tuple[str, ...]) -> None:
    template = template_of(*keys, inlets=(ORDERS,))
    assert not {"AssetHistoryTable", "AssetRecorder", "AssetHistoryRule"} & template["Resources"].keys()
    assert "AssetHistoryTable" not in template_of("inlet_events", outlets=(ORDERS,))["Resources"]


def test_rules_of_a_schedule_and_of_the_history_are_apart() -> None:
    reads = (ContextRead(key="inlet_events", span=SourceSpan("etl.py", 7), task_id="t"),)
    found = stack("assets", layer=False, tasks=(a_task("t", inlets=(ORDERS,)),), context_reads=reads).template
    assert diagnosed(found) <= ACKNOWLEDGED
    assert {"AssetRule", "AssetHistoryRule", "UndeliveredRuns"} <= found["Resources"].keys()
    sources = found["Resources"]["UndeliveredRunsPolicy"]["Properties"]["PolicyDocument"]["Statement"][1][
        "Condition"
    ]
    assert {"Fn::GetAtt": ["AssetHistoryRule", "Arn"]} in sources["ArnEquals"]["aws:SourceArn"]
