"""The asset launcher, executed on moto's DynamoDB: it starts the runs that Airflow's scheduler would, each once."""

from __future__ import annotations

import random
from typing import Any

import moto_engine
import pytest
from launched import Aws

from orkestra_bridge.asl.check import check
from orkestra_bridge.ir.model import AssetCondition
from orkestra_bridge.local.interpreter import VirtualClock, execute
from orkestra_bridge.stack.asset_launcher import asset_launcher_definition

FILLED = ("${StateMachineArn}", "${UndeliveredRunsUrl}", "${AssetMemory}")
A, B, C = (AssetCondition(kind="asset", name=name, uri=f"s3://bucket/{name}") for name in "abc")
ALIAS = AssetCondition(kind="alias", name="some")


def any_of(*members: AssetCondition) -> AssetCondition:
    return AssetCondition(kind="any", of=members)


def all_of(*members: AssetCondition) -> AssetCondition:
    return AssetCondition(kind="all", of=members)


def event(number: int, *assets: AssetCondition) -> dict[str, Any]:
    """Return what EventBridge hands on: the event of a task with these outlets."""
    moment = f"2024-03-01T00:00:{number:02}.000000+00:00"
    events = [{"keys": list(asset.keys), "uri": asset.uri, "timestamp": moment} for asset in assets]
    keys = [key for asset in assets for key in asset.keys]
    return {
        "id": f"{number:08}-1111-2222-3333-444444444444",
        "detail": {"keys": keys, "timestamp": moment, "events": events},
    }


def deliver(aws: Aws, condition: AssetCondition, given: dict[str, Any], major: int = 3) -> str:
    """Hand an event to the launcher, if the rule before it lets it through, and return how that ended."""
    if not condition.touched_by(given["detail"]["keys"]):
        return "FILTERED"
    clock = VirtualClock()
    definition = asset_launcher_definition("d", condition, major=major)
    return clock.run(execute(definition, given, tasks=aws, clock=clock)).status


@pytest.fixture
def aws() -> Any:
    with moto_engine._TABLES:
        yield Aws()


def uris(document: dict[str, Any]) -> list[str]:
    return [found["uri"] for found in document["asset_events"]]


@pytest.mark.parametrize("condition", [A, any_of(A, B), all_of(A, B), any_of(A, all_of(B, C), ALIAS)])
def test_it_is_a_sound_machine(condition: AssetCondition) -> None:
    definition = asset_launcher_definition("d", condition, major=3)
    assert check(definition, placeholders=FILLED, expressions=True) == ()
    assert ("Remember the event" in definition["States"]) is condition.needs_memory


def test_one_of_several_starts_a_run_for_each_event(aws: Aws) -> None:
    for number, asset in enumerate((A, B, C)):
        deliver(aws, any_of(A, B), event(number, asset))
    assert [uris(run) for run in aws.started.values()] == [["s3://bucket/a"], ["s3://bucket/b"]]
    (name, document), _ = aws.started.items()
    assert name == "asset_triggered__2024-03-01T00_00_00_000000_00_00_00000000"
    assert document["run_id"] == "asset_triggered__2024-03-01T00:00:00.000000+00:00_00000000"
    assert document["triggered_at"] == "2024-03-01T00:00:00.000000+00:00"


def test_airflow_2_names_runs_by_their_date(aws: Aws) -> None:
    deliver(aws, A, event(1, A), major=2)
    (document,) = aws.started.values()
    assert document["run_id"] == "dataset_triggered__2024-03-01T00:00:01.000000+00:00"
    assert document["run_type"] == "dataset_triggered"


def test_outlets_of_one_task_start_one_run(aws: Aws) -> None:
    deliver(aws, any_of(A, B), event(1, A, C, B))
    assert [uris(run) for run in aws.started.values()] == [["s3://bucket/a", "s3://bucket/b"]]


def test_all_of_several_gets_every_event_since_the_last_run(aws: Aws) -> None:
    both = all_of(A, B)
    for number, asset in enumerate((A, A, B, B, A)):
        deliver(aws, both, event(number, asset))
    assert [uris(run) for run in aws.started.values()] == [
        ["s3://bucket/a", "s3://bucket/a", "s3://bucket/b"],
        ["s3://bucket/b", "s3://bucket/a"],
    ]


@pytest.mark.parametrize("condition", [A, all_of(A, A)])
def test_an_event_that_comes_twice_starts_one_run(aws: Aws, condition: AssetCondition) -> None:
    assert [deliver(aws, condition, event(1, A)) for _ in range(2)] == ["SUCCEEDED"] * 2
    assert len(aws.started) == 1


def test_a_run_that_cannot_be_started_is_reported_with_its_events(aws: Aws) -> None:
    aws.broken = True
    assert deliver(aws, A, event(1, A)) == "FAILED"
    (message,) = aws.reported
    assert message["run"]["detail"]["events"][0]["uri"] == "s3://bucket/a"


@pytest.mark.parametrize("seed", range(25))
def test_any_condition_starts_runs_as_airflows_queue_does(aws: Aws, seed: int) -> None:
    """The model: keys are queued until they satisfy the condition; then there is a run and the queue is empty."""
    chance = random.Random(seed)
    leaves = [A, B, C, ALIAS]

    def condition(depth: int) -> AssetCondition:
        if not depth or chance.random() < 0.3:
            return chance.choice(leaves)
        members = [condition(depth - 1) for _ in range(chance.randint(1, 3))]
        return chance.choice((any_of, all_of))(*members)

    wanted = condition(3)
    queued: list[str] = []
    waiting: list[str] = []
    expected: list[list[str]] = []
    for number in range(12):
        assets = chance.sample(leaves, chance.randint(1, 2))
        deliver(aws, wanted, event(number, *assets))
        relevant = [asset for asset in assets if asset in wanted.leaves]
        queued.extend(key for asset in relevant for key in asset.keys)
        waiting.extend(asset.uri for asset in relevant)
        if relevant and wanted.holds(queued):
            expected.append(sorted(waiting))
            queued, waiting = [], []
    assert [sorted(uris(run)) for run in aws.started.values()] == expected
