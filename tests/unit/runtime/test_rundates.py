"""Logical date, data interval and run id, for each kind of schedule and both majors."""

from __future__ import annotations

from typing import Any

import pytest

from orkestra_bridge.runtime.rundates import Run, Ticks, parse_moment, resolve_run

START = {"start_time": "2024-03-01T10:20:30.123Z"}
DAILY = {"kind": "cron", "expressions": ["0 5 * * *"], "timezone": "UTC"}
DAILY_INTERVAL = {**DAILY, "data_interval": True}
SIX_HOURS = {"kind": "delta", "seconds": 21600.0, "data_interval": True}


def resolved(document: dict[str, Any], schedule: dict[str, Any], major: int) -> Run:
    return resolve_run(document, START, schedule, major=major)


def dates(run: Run) -> list[str]:
    return [moment.isoformat() for moment in (run.logical_date, run.start, run.end)]


def test_a_scheduled_run_of_airflow_2_covers_the_day_before() -> None:
    run = resolved({"scheduled_time": "2024-01-02T05:00:00Z"}, DAILY_INTERVAL, 2)
    assert dates(run) == [
        "2024-01-01T05:00:00+00:00",
        "2024-01-01T05:00:00+00:00",
        "2024-01-02T05:00:00+00:00",
    ]
    assert run.run_id == "scheduled__2024-01-01T05:00:00+00:00"


def test_a_scheduled_run_of_airflow_3_is_about_its_tick() -> None:
    run = resolved({"scheduled_time": "2024-01-02T05:00:00Z"}, DAILY, 3)
    assert dates(run) == ["2024-01-02T05:00:00+00:00"] * 3
    assert run.run_id == "scheduled__2024-01-02T05:00:00+00:00"


def test_an_interval_in_airflow_3_names_the_run_by_its_end() -> None:
    run = resolved({"scheduled_time": "2024-01-02T05:00:00Z"}, DAILY_INTERVAL, 3)
    assert run.logical_date.day == 1
    assert run.run_id == "scheduled__2024-01-02T05:00:00+00:00"


@pytest.mark.parametrize("moment", ["2024-03-01T05:00:00Z", "2024-03-01T10:20:30Z"])
def test_a_manual_run_covers_the_last_complete_interval(moment: str) -> None:
    run = resolved({"logical_date": moment}, DAILY_INTERVAL, 2)
    assert dates(run)[1:] == ["2024-02-29T05:00:00+00:00", "2024-03-01T05:00:00+00:00"]
    assert run.run_id == f"manual__{parse_moment(moment).isoformat()}"


def test_a_period_covers_what_lies_before() -> None:
    run = resolved({"scheduled_time": "2024-01-02T06:00:00Z"}, SIX_HOURS, 2)
    assert dates(run)[1:] == ["2024-01-02T00:00:00+00:00", "2024-01-02T06:00:00+00:00"]


def test_without_anything_the_run_is_a_manual_one_of_now() -> None:
    run = resolved({}, {"kind": "none"}, 3)
    assert run.run_id == "manual__2024-03-01T10:20:30.123000+00:00"
    assert run.run_type == "manual"
    assert run.conf == {}


def test_a_backfill_begins_at_its_logical_date() -> None:
    run = resolved({"run_type": "backfill", "logical_date": "2024-01-01T05:00:00+00:00"}, DAILY_INTERVAL, 2)
    assert dates(run)[1:] == ["2024-01-01T05:00:00+00:00", "2024-01-02T05:00:00+00:00"]
    assert run.run_id.startswith("backfill__2024-01-01")


def test_what_the_document_says_wins() -> None:
    interval = ["2020-01-01T00:00:00Z", "2020-01-02T00:00:00+00:00"]
    run = resolved(
        {"run_id": "mine", "data_interval": interval, "logical_date": "2020-01-01"}, DAILY_INTERVAL, 2
    )
    assert run.run_id == "mine"
    assert dates(run)[1:] == ["2020-01-01T00:00:00+00:00", "2020-01-02T00:00:00+00:00"]


@pytest.mark.parametrize(
    ("expression", "moment", "before", "after"),
    [
        # 02:30 does not exist on 31 March and is read as 03:30.
        ("30 2 * * *", "2024-03-31T12:00:00Z", "2024-03-31T01:30:00+00:00", "2024-04-01T00:30:00+00:00"),
        # 02:30 exists twice on 27 October; the second one counts.
        ("30 2 * * *", "2024-10-27T12:00:00Z", "2024-10-27T01:30:00+00:00", "2024-10-28T01:30:00+00:00"),
        ("0 * * * *", "2024-10-27T01:00:00Z", "2024-10-27T00:00:00+00:00", "2024-10-27T02:00:00+00:00"),
    ],
)
def test_a_zone_with_summer_time(expression: str, moment: str, before: str, after: str) -> None:
    ticks = Ticks(
        {"kind": "cron", "expressions": [expression], "timezone": "Europe/Berlin", "data_interval": True}
    )
    assert ticks.before(parse_moment(moment)).isoformat() == before
    assert ticks.after(parse_moment(moment)).isoformat() == after


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-03-01T00:00:00Z", "2024-03-01T00:00:00+00:00"),
        ("2024-03-01", "2024-03-01T00:00:00+00:00"),
        ("2024-03-01T02:00:00.5+02:00", "2024-03-01T00:00:00.500000+00:00"),
        ("2024-03-01T00:00:00.1234567Z", "2024-03-01T00:00:00.123456+00:00"),
    ],
)
def test_moments_in_any_iso_form(text: str, moment: str) -> None:
    assert parse_moment(text).isoformat() == moment
