"""Timetables as both majors of Airflow shape them, by fakes with the same class names."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from orkestra_bridge.frontend.worker_assets import asset_of, assets_of, written
from orkestra_bridge.frontend.worker_schedule import describe_schedule, describe_timetable
from orkestra_bridge.frontend.worker_values import Encoder


def timetable(name: str, /, module: str = "airflow.timetables", **fields: Any) -> Any:
    return type(name, (SimpleNamespace,), {"__module__": module})(**fields)


ROME = SimpleNamespace(key="Europe/Rome")
CRON: dict[str, Any] = {"_expression": "0 5 * * *", "_timezone": ROME}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (timetable("NullTimetable"), {"kind": "none"}),
        (timetable("OnceTimetable"), {"kind": "once"}),
        (timetable("ContinuousTimetable"), {"kind": "continuous"}),
        (timetable("DatasetTriggeredTimetable"), {"kind": "asset"}),
        (
            timetable("CronDataIntervalTimetable", **CRON),
            {"kind": "cron", "expressions": ["0 5 * * *"], "timezone": "Europe/Rome", "data_interval": True},
        ),
        (
            timetable("CronTriggerTimetable", expression="@x", timezone="UTC", interval=dt.timedelta()),
            {"kind": "cron", "expressions": ["@x"], "timezone": "UTC", "data_interval": False},
        ),
        (timetable("CronTriggerTimetable", **CRON, _interval=dt.timedelta(hours=1)), {"kind": "custom"}),
        (
            timetable("DeltaDataIntervalTimetable", _delta=dt.timedelta(hours=6)),
            {"kind": "delta", "seconds": 21600.0, "data_interval": True},
        ),
        (
            timetable("DeltaTriggerTimetable", delta=object(), interval=dt.timedelta()),
            {"kind": "delta", "seconds": None, "data_interval": False},
        ),
        (
            timetable("CronPartitionTimetable", **CRON, run_offset=-1, key_format="%Y"),
            {
                "kind": "cron",
                "expressions": ["0 5 * * *"],
                "timezone": "Europe/Rome",
                "data_interval": False,
                "partitions": {"by": "cron", "key_format": "%Y", "offset": -1},
            },
        ),
        (timetable("PartitionedAtRuntime"), {"kind": "none", "partitions": {"by": "runtime"}}),
        (timetable("EventsTimetable"), {"kind": "custom"}),
        (timetable("CronTriggerTimetable", module="company.timetables", **CRON), {"kind": "custom"}),
    ],
)
def test_timetables(given: Any, expected: dict[str, Any]) -> None:
    assert describe_timetable(given) == expected


def test_several_crons() -> None:
    parts = [
        timetable("CronTriggerTimetable", expression=text, timezone="UTC")
        for text in ("1 * * * *", "2 * * * *")
    ]
    described = describe_timetable(timetable("MultipleCronTriggerTimetable", timetables=parts))
    assert (described["kind"], described["expressions"]) == ("cron", ["1 * * * *", "2 * * * *"])


def test_assets_with_a_cron_keep_the_cron() -> None:
    inner = timetable("CronTriggerTimetable", **CRON)
    described = describe_timetable(timetable("DatasetOrTimeSchedule", timetable=inner))
    assert (described["kind"], described["expressions"]) == ("asset", ["0 5 * * *"])


@pytest.mark.parametrize(
    ("dag", "text"),
    [
        ({"schedule": "@daily", "timetable": timetable("CronTriggerTimetable", **CRON)}, "@daily"),
        ({"schedule_interval": dt.timedelta(hours=1), "timetable": timetable("X")}, "1:00:00"),
        ({"schedule": None, "timetable": timetable("NullTimetable")}, "None"),
        ({"timetable": timetable("OnceTimetable")}, "@once"),
        ({"timetable": timetable("EventsTimetable", summary="3 events")}, "EventsTimetable 3 events"),
    ],
)
def test_text_is_what_the_user_wrote(dag: dict[str, Any], text: str) -> None:
    described = describe_schedule(SimpleNamespace(timezone="UTC", **dag), Encoder({}, str))
    assert described["text"] == text
    assert described["timezone"]


A, B = (timetable("Asset", module="airflow.sdk", name=name, uri=f"s3://b/{name}") for name in "ab")
AS_DATA = {"kind": "asset", "name": "a", "uri": "s3://b/a"}


@pytest.mark.parametrize(
    ("given", "expected", "text"),
    [
        (A, AS_DATA, "s3://b/a"),
        ([A], {"kind": "all", "of": [AS_DATA]}, "s3://b/a"),
        (timetable("Dataset", uri="s3://b/a"), {**AS_DATA, "name": ""}, "s3://b/a"),
        (timetable("AssetNameRef", name="a"), {**AS_DATA, "uri": ""}, "a"),
        (timetable("DatasetAlias", name="x"), {"kind": "alias", "name": "x", "uri": ""}, "alias x"),
        (
            timetable("_DatasetAliasCondition", name="x", objects=[]),
            {"kind": "alias", "name": "x", "uri": ""},
            "alias x",
        ),
        (
            timetable("Asset", name="a", uri="s3://b/a", watchers=[SimpleNamespace(name="w")]),
            {**AS_DATA, "watchers": ["w"]},
            "s3://b/a",
        ),
    ],
)
def test_assets(given: Any, expected: dict[str, Any], text: str) -> None:
    found = asset_of(given)
    assert found == expected
    assert written(found) == text


def test_conditions_are_written_as_users_write_them() -> None:
    both = timetable("AssetAll", objects=[A, B])
    found = asset_of(timetable("AssetAny", objects=[B, both]))
    assert found is not None
    assert written(found) == "s3://b/b | (s3://b/a & s3://b/b)"


def test_what_is_no_asset_makes_no_events() -> None:
    assert assets_of([A, "s3://b/a", timetable("File", module="airflow.lineage", url="x")]) == [AS_DATA]


@pytest.mark.parametrize(
    ("inner", "kind"),
    [
        (timetable("CronTriggerTimetable", expression="0 5 * * *", timezone="UTC"), "asset"),
        (timetable("DeltaTriggerTimetable", delta=dt.timedelta(hours=1)), "asset"),
        (timetable("NullTimetable"), "asset"),
        (timetable("CronPartitionTimetable", **CRON, run_offset=0, key_format="%Y"), "asset"),
        (timetable("EventsTimetable"), "custom"),
    ],
)
def test_a_timetable_beside_assets_is_kept(inner: Any, kind: str) -> None:
    found = describe_timetable(timetable("AssetOrTimeSchedule", timetable=inner))
    assert found["kind"] == kind
    known = describe_timetable(inner)
    assert "partitions" not in found
    known.pop("partitions", None)
    assert kind == "custom" or all(found[name] == known[name] for name in known if name != "kind")
