"""The handler's two steps for mapped tasks, and what the ledger says about their instances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import ANY

import pytest

from orkestra_bridge.runtime.errors import MapTooLongError
from orkestra_bridge.runtime.mapping import expanded, instances_of, resumed, skipping_tasks
from orkestra_bridge.runtime.prepare import prepare
from orkestra_bridge.runtime.verdict import verdict_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from orkestra_bridge.runtime.handler import Package

SOURCE = """
from datetime import datetime
from airflow import DAG
from airflow.decorators import task
from airflow.exceptions import AirflowSkipException
with DAG('d', start_date=datetime(2024, 1, 1), schedule=None):
    @task
    def items(n):
        return list(range(n))
    @task(retries=1)
    def each(x, y, ti=None):
        if x == 3:
            raise AirflowSkipException
        return [x, y, ti.map_index]
    each.partial(y='y').expand(x=items(2))
"""
ITEMS = {"state": "success", "tries": 1, "xcom": {"return_value": [7, 8, 3]}}


def event(task_id: str, **more: Any) -> dict[str, Any]:
    execution = {"id": "arn", "name": "e", "start_time": "2024-03-01T00:00:00Z"}
    return {"task_id": task_id, "run": {}, "execution": execution, "ledger": {}, "attempt": 0, **more}


def asked(package: Package, items: dict[str, Any], limit: int = 10) -> dict[str, Any]:
    return package.run(event("each", ledger={"items": items}, expand={"limit": limit}))


@pytest.mark.parametrize(
    ("items", "entry"),
    [
        (ITEMS, {"length": 3}),
        ({**ITEMS, "xcom": {"return_value": []}}, {"state": "skipped", "tries": 0, "at": ANY}),
        ({"state": "success", "tries": 1}, {"state": "upstream_failed", "tries": 0, "at": ANY}),
        ({"state": "failed", "tries": 1, "at": 5}, {"state": "upstream_failed", "tries": 0, "at": 5.01}),
        ({"state": "skipped", "tries": 1, "at": 5}, {"state": "skipped", "tries": 0, "at": 5.01}),
    ],
)
def test_a_mapped_task_is_expanded_or_ends(
    unpack: Callable[..., Package], items: dict[str, Any], entry: dict[str, Any]
) -> None:
    assert asked(unpack(SOURCE), items) == entry


def test_more_instances_than_there_is_room_for(unpack: Callable[..., Package]) -> None:
    with pytest.raises(MapTooLongError, match=r"3 instances.*room for 2; map over batches"):
        asked(unpack(SOURCE), ITEMS, limit=2)


@pytest.mark.parametrize(("instances", "most"), [(2, 16_000), (100, 1_554), (1_000, 79), (5_000, 40)])
def test_all_instances_may_fail_with_long_errors(
    unpack: Callable[..., Package], instances: int, most: int
) -> None:
    package = unpack(SOURCE)
    next(task for task in package.manifest["workflow"]["tasks"] if task["task_id"] == "each")["mapped"] = True
    ledger = {"items": ITEMS, "each": {"length": instances}}
    prepared = prepare(package.dag, package.manifest, event("each", map_index=0, ledger=ledger))
    assert prepared.error_limit == most


def test_an_instance_has_no_store_of_assets_that_its_task_does_not_name(
    unpack: Callable[..., Package], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORKESTRA_ASSET_STATE", str(tmp_path))
    ledger = {"items": ITEMS, "each": {"length": 3}}
    package = unpack(SOURCE)
    package.manifest["workflow"]["airflow_version"] = "3.3.2"
    assert package.run(event("each", map_index=1, ledger=ledger))["state"] == "success"


def test_an_instance_finds_its_own_item(unpack: Callable[..., Package]) -> None:
    package = unpack(SOURCE)
    ledger = {"items": ITEMS, "each": {"length": 3}}
    entries = [package.run(event("each", map_index=i, ledger=ledger, attempt=i)) for i in range(3)]
    assert entries == [
        {"state": "success", "tries": 1, "at": ANY, "map_index": 0, "xcom": {"return_value": [7, "y", 0]}},
        {"state": "success", "tries": 2, "at": ANY, "map_index": 1, "xcom": {"return_value": [8, "y", 1]}},
        {"state": "skipped", "tries": 3, "at": ANY, "map_index": 2},
    ]


def test_a_task_may_not_return_too_much_to_map_over(
    unpack: Callable[..., Package], monkeypatch: pytest.MonkeyPatch
) -> None:
    package = unpack(SOURCE.replace("items(2)", "items(1025)"))
    with pytest.raises(Exception, match="unmappable return value length: 1025 > 1024") as caught:
        package.run(event("items"))
    assert type(caught.value).__name__ == "UnmappableXComLengthPushed"
    monkeypatch.setenv("AIRFLOW__CORE__MAX_MAP_LENGTH", "2000")
    assert len(package.run(event("items"))["xcom"]["return_value"]) == 1025


def test_instances_of_an_entry() -> None:
    one, other = {"state": "success", "map_index": 0}, {"state": "failed", "map_index": 1}
    assert list(instances_of({"instances": [one, other]})) == [one, other]
    assert list(instances_of(one)) == [one]
    assert list(instances_of({"length": 2})) == []


def test_an_earlier_run_is_asked_per_instance(unpack: Callable[..., Package]) -> None:
    kept = {"instances": [{"state": "success", "tries": 1, "map_index": 1}]}
    assert resumed(kept, 1) == {"state": "success", "tries": 1, "map_index": 1}
    assert resumed(kept, 0) is None
    assert resumed(kept, -1) == kept
    assert resumed({"state": "skipped", "tries": 0}, 2) == {"state": "skipped", "tries": 0, "map_index": 2}
    assert resumed(None, -1) is None
    assert unpack(SOURCE).run(event("each", expand={"limit": 1}, run={"ledger": {"each": kept}})) == kept


@pytest.mark.parametrize(
    ("length", "entry"),
    [
        (None, {"state": "upstream_failed", "tries": 0}),
        (0, {"state": "skipped", "tries": 0}),
        (1, {"length": 1}),
    ],
)
def test_lengths(length: int | None, entry: dict[str, Any]) -> None:
    assert expanded(length, 1) == entry


@pytest.mark.parametrize(
    ("rule", "states", "verdict"),
    [
        ("all_success", ["success", "success"], "run"),
        ("all_success", ["success", "skipped"], "skipped"),
        ("all_success", ["skipped", "failed"], "upstream_failed"),
        ("one_success", ["failed", "success"], "run"),
        ("all_failed", ["failed", "success"], "skipped"),
        ("all_done", ["failed", "upstream_failed"], "run"),
    ],
)
def test_every_instance_above_counts(rule: str, states: list[str], verdict: str) -> None:
    tasks = [
        {"task_id": "m", "upstream": [], "trigger_rule": "all_success"},
        {"task_id": "t", "upstream": ["m"], "trigger_rule": rule},
    ]
    instances = [{"state": state, "map_index": i} for i, state in enumerate(states)]
    assert verdict_of("t", {"tasks": tasks}, {"m": {"instances": instances}}).decision == verdict


@pytest.mark.parametrize(
    ("source", "verdict"),
    [
        ({"state": "failed"}, "upstream_failed"),
        ({"state": "upstream_failed"}, "upstream_failed"),
        ({"state": "skipped"}, "skipped"),
        ({"state": "success"}, "run"),
        ({"instances": [{"state": "failed", "map_index": 0}]}, "run"),
    ],
)
@pytest.mark.parametrize("grouped", [False, True])
def test_whatever_the_rule_there_must_be_something_to_map_over(
    source: dict[str, Any], verdict: str, *, grouped: bool
) -> None:
    expansion = {"over": ["s"], "length": None}
    place = {"mapped_group": "g"} if grouped else {"expansion": expansion}
    workflow = {
        "tasks": [
            {"task_id": "s", "upstream": [], "trigger_rule": "all_success"},
            {"task_id": "m", "upstream": ["s"], "trigger_rule": "all_done", **place},
        ],
        "mapped_groups": [{"group_id": "g", "expansion": expansion}] if grouped else [],
    }
    assert verdict_of("m", workflow, {"s": source}).decision == verdict


BRANCH = {"state": "success", "skip": ["m"], "xcom": {"skipmixin_key": {"followed": []}}}
STOP = {"state": "success", "skip": ["m"], "xcom": {"skipmixin_key": {"skipped": ["m"]}}}
MAPPED = {"instances": [{**STOP, "map_index": 0}, {"state": "success", "map_index": 1}]}


@pytest.mark.parametrize(
    ("above", "direct", "in_airflow_2", "in_airflow_3"),
    [
        (BRANCH, True, [True, False, False], [True, True, True]),
        (STOP, True, [True, True, True], [True, True, True]),
        (STOP, False, [True, True, True], [True, False, False]),
        (MAPPED, True, [False, True, False], [False, False, False]),
        (MAPPED, False, [False, False, False], [False, False, False]),
    ],
)
def test_which_instances_a_task_above_skips(
    above: dict[str, Any], direct: bool, in_airflow_2: list[bool], in_airflow_3: list[bool]
) -> None:
    task = {"task_id": "m", "upstream": ["above"] if direct else []}
    for major, expected in ((2, in_airflow_2), (3, in_airflow_3)):
        found = [bool(skipping_tasks(task, {"above": above}, index, major=major)) for index in (-1, 0, 1)]
        assert found == expected, major
