"""What is said about DAGs that others start or wait for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from workflows import a_task, a_workflow

from orkestra_bridge.diagnostics import Verdict
from orkestra_bridge.ir.model import (
    AssetCondition,
    PartitionedBy,
    Partitions,
    Polling,
    Schedule,
    ScheduleKind,
    Workflow,
)
from orkestra_bridge.operators.other_dags import other_dags, started_dags
from orkestra_bridge.passes.other_dags import Loaded, about_other_dags

TRIGGER = a_task("go", operator="TriggerDagRunOperator", calls="b")
SENSOR = a_task("see", operator="ExternalTaskSensor", calls="c", polling=Polling())
WAITS = a_task("wait", operator="TriggerDagRunOperator", calls="d", polling=Polling(resumes=True))
TEMPLATE = a_task("any", operator="TriggerDagRunOperator", calls="{{ params.which }}")
CALLER = a_workflow(TRIGGER, SENSOR, WAITS, TEMPLATE, dag_id="a")


def test_dags_that_are_seen_and_dags_that_are_started() -> None:
    assert other_dags(CALLER) == ("b", "c", "d")
    assert started_dags(CALLER) == ("b", "d")


@pytest.mark.parametrize(
    ("known", "ids"),
    [
        ((), {"go": "OB241", "see": "OB241", "wait": "OB241", "any": "OB240"}),
        (("b", "c", "d"), {"any": "OB240"}),
    ],
)
def test_findings(known: tuple[str, ...], ids: dict[str, str]) -> None:
    dags = {dag_id: a_workflow(dag_id=dag_id) for dag_id in known}
    found = list(about_other_dags(CALLER, dags))
    assert {str(each.task_id): each.id for each in found} == ids
    assert all(each.remedy and each.attribute in ("trigger_dag_id", "external_dag_id") for each in found)
    by_task = {str(each.task_id): each.message for each in found if each.id == "OB241"}
    assert all(f"'{CALLER.task(task_id).calls}'" in message for task_id, message in by_task.items())


ORDERS = AssetCondition(kind="asset", name="orders", uri="s3://shop/orders")
BY_NAME = AssetCondition(kind="asset", name="orders")
PRICES = AssetCondition(kind="asset", uri="s3://shop/prices")
ALIAS = AssetCondition(kind="alias", name="daily")
MAKER = a_workflow(a_task("make", outlets=(ORDERS,)), dag_id="maker")
ALIAS_MAKER = a_workflow(a_task("make", outlets=(ALIAS,)), dag_id="alias_maker")


def consumer(kind: str, *assets: AssetCondition) -> Workflow:
    condition = AssetCondition(kind=kind, of=assets)
    return a_workflow(a_task("use"), schedule=Schedule(kind=ScheduleKind.ASSET, assets=condition))


@pytest.mark.parametrize(
    ("kind", "assets", "makers", "words"),
    [
        ("all", (ORDERS,), (MAKER,), ""),
        ("all", (BY_NAME,), (MAKER,), ""),
        ("all", (ALIAS,), (ALIAS_MAKER,), ""),
        ("all", (ORDERS,), (), "events of s3://shop/orders: no run starts"),
        ("all", (ORDERS, PRICES), (MAKER,), "events of s3://shop/prices: no run starts"),
        ("any", (ORDERS, PRICES), (MAKER,), "events of s3://shop/prices: runs start by the others alone"),
        ("any", (ALIAS, BY_NAME), (), "events of alias daily, orders: no run starts"),
        ("all", (PRICES,), (ALIAS_MAKER,), "s3://shop/prices, unless a task does through alias daily"),
    ],
)
def test_assets_that_nobody_makes(
    kind: str, assets: tuple[AssetCondition, ...], makers: tuple[Workflow, ...], words: str
) -> None:
    loaded, workflow = Loaded(), consumer(kind, *assets)
    assert loaded.lacks(workflow)
    loaded.learn(makers)
    assert loaded.lacks(workflow) == bool(words)
    found = list(loaded.about(workflow))
    assert [(each.id, each.dag_id, each.attribute) for each in found] == [
        ("OB249", "example", "schedule")
    ] * bool(words)
    assert all(words in each.message and each.remedy for each in found)


def by(partitioned: PartitionedBy | None, workflow: Workflow) -> Workflow:
    partitions = Partitions(by=partitioned) if partitioned else None
    return replace(workflow, schedule=replace(workflow.schedule, partitions=partitions))


@pytest.mark.parametrize(
    ("maker", "waits", "words"),
    [
        (None, None, ""),
        (None, PartitionedBy.ASSETS, "have no partition key unless a task adds one"),
        (PartitionedBy.CRON, None, "start partitioned DAGs alone"),
        (PartitionedBy.ASSETS, None, "start partitioned DAGs alone"),
        (PartitionedBy.CRON, PartitionedBy.ASSETS, ""),
        (PartitionedBy.RUNTIME, None, ""),
        (PartitionedBy.RUNTIME, PartitionedBy.ASSETS, ""),
    ],
)
def test_events_that_start_no_run_because_of_their_partition_key(
    maker: PartitionedBy | None, waits: PartitionedBy | None, words: str
) -> None:
    loaded, workflow = Loaded(), by(waits, consumer("all", ORDERS))
    loaded.learn([by(maker, MAKER)])
    assert loaded.lacks(workflow) == bool(words), "another file may still make events of the other kind"
    found = list(loaded.about(workflow))
    assert [(each.id, each.verdict) for each in found] == [("OB255", Verdict.KEPT)] * bool(words)
    assert all(words in each.message and each.remedy for each in found)
    loaded.learn([by(None, MAKER), by(PartitionedBy.CRON, MAKER)])
    assert not loaded.lacks(workflow)
    assert not list(loaded.about(workflow))
