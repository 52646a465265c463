from __future__ import annotations

from dataclasses import replace

import pytest

from orkestra_bridge.diagnostics import Severity, Verdict
from orkestra_bridge.ir.model import (
    Attribute,
    PartitionedBy,
    Partitions,
    Schedule,
    ScheduleKind,
    SourceSpan,
    Workflow,
)
from orkestra_bridge.stack.model import Period
from orkestra_bridge.stack.schedule import schedule_view

BASE = Workflow(
    dag_id="etl",
    span=SourceSpan("etl.py", 7),
    airflow_version="3.0.0",
    schedule=Schedule(),
    tasks=(),
    start_date="2024-01-01T00:00:00+00:00",
)


def cron(*expressions: str, zone: str = "UTC", interval: bool = False) -> Schedule:
    return Schedule(
        kind=ScheduleKind.CRON,
        expressions=expressions,
        timezone=zone,
        data_interval=interval,
        text=", ".join(expressions),
    )


def delta(seconds: float | None, *, interval: bool = False) -> Schedule:
    return Schedule(kind=ScheduleKind.DELTA, seconds=seconds, data_interval=interval, text=f"{seconds} s")


def ids(workflow: Workflow) -> list[str]:
    return [finding.id for finding in schedule_view(workflow)[1]]


def test_a_cron_with_a_zone() -> None:
    view, findings = schedule_view(replace(BASE, schedule=cron("0 6 * * 1-5", zone="Europe/Paris")))
    assert view.expressions == ("cron(0 6 ? * MON-FRI *)",)
    assert (view.timezone, view.state, view.start, view.end) == (
        "Europe/Paris",
        "ENABLED",
        "2024-01-01T05:00:00Z",
        None,
    )
    assert findings == ()
    assert view.to_json() == {
        "kind": "cron",
        "text": "0 6 * * 1-5",
        "expressions": ["cron(0 6 ? * MON-FRI *)"],
        "timezone": "Europe/Paris",
        "start": "2024-01-01T05:00:00Z",
        "end": None,
        "state": "ENABLED",
    }


@pytest.mark.parametrize(
    ("interval", "first", "last"),
    [
        (False, "2024-01-01T05:00:00Z", "2024-03-01T12:00:00Z"),
        (True, "2024-01-02T05:00:00Z", "2024-03-02T05:00:00Z"),
    ],
)
def test_first_and_last_run(interval: bool, first: str, last: str) -> None:
    workflow = replace(
        BASE, schedule=cron("0 5 * * *", interval=interval), end_date="2024-03-01T12:00:00+00:00"
    )
    view, findings = schedule_view(workflow)
    assert (view.start, view.end) == (first, last)
    assert findings == ()


def test_several_crons_are_several_expressions_and_the_same_one_is_one() -> None:
    view, _ = schedule_view(replace(BASE, schedule=cron("0 5 * * *", "30 6 * * *", "0 5 * * *")))
    assert view.expressions == ("cron(0 5 * * ? *)", "cron(30 6 * * ? *)")


def test_no_run_between_start_and_end() -> None:
    workflow = replace(BASE, schedule=cron("0 0 1 6 *"), end_date="2024-02-01T00:00:00+00:00")
    assert ids(workflow) == ["OB510"]
    assert ids(replace(BASE, schedule=cron("0 0 30 2 *"))) == ["OB510"]


class TestClockChanges:
    def test_a_time_that_is_skipped_and_repeated_is_named(self) -> None:
        [finding] = schedule_view(replace(BASE, schedule=cron("30 2 * * *", zone="Europe/Paris")))[1]
        assert (finding.id, finding.severity, finding.verdict) == (
            "OB505",
            Severity.INFO,
            Verdict.APPROXIMATED,
        )
        assert "02:30 on 2026-03-29 does not exist" in finding.message
        assert "02:30 on 2026-10-25 comes twice" in finding.message
        assert (finding.file, finding.line, finding.dag_id, finding.attribute) == (
            "etl.py",
            7,
            "etl",
            "schedule",
        )

    @pytest.mark.parametrize(
        ("text", "zone"),
        [("0 6 * * *", "Europe/Paris"), ("30 2 * * 1-5", "America/New_York"), ("30 2 * * *", "Asia/Tokyo")],
    )
    def test_nothing_is_said_where_nothing_differs(self, text: str, zone: str) -> None:
        view, findings = schedule_view(replace(BASE, schedule=cron(text, zone=zone)))
        assert (view.timezone, findings) == (zone, ())

    def test_an_hourly_schedule_is_put_in_utc_where_it_is_exact(self) -> None:
        view, findings = schedule_view(
            replace(BASE, schedule=cron("5,50 * * * *", zone="Australia/Adelaide"))
        )
        assert (view.expressions, view.timezone, findings) == (("cron(20,35 * * * ? *)",), "UTC", ())

    def test_an_hourly_schedule_stays_where_clocks_change_by_half_an_hour(self) -> None:
        workflow = replace(BASE, schedule=cron("5 * * * *", zone="Australia/Lord_Howe"))
        assert schedule_view(workflow)[0].timezone == "Australia/Lord_Howe"
        assert ids(workflow) == ["OB505"]


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("+02:00", "Etc/GMT-2"),
        ("-03:00", "Etc/GMT+3"),
        ("UTC", "UTC"),
        ("UTC+1", "Etc/GMT-1"),
        ("+00:00", "Etc/GMT-0"),
    ],
)
def test_fixed_offsets_have_names(zone: str, expected: str) -> None:
    view, findings = schedule_view(replace(BASE, schedule=cron("0 5 * * *", zone=zone)))
    assert (view.timezone, findings) == (expected, ())


@pytest.mark.parametrize("zone", ["+05:30", "Mars/Base", "", "/etc/passwd", "../UTC"])
def test_zones_without_a_name_are_refused(zone: str) -> None:
    view, [finding] = schedule_view(replace(BASE, schedule=cron("0 5 * * *", zone=zone)))
    assert (finding.id, finding.severity) == ("OB504", Severity.ERROR)
    assert view.expressions == ()


@pytest.mark.parametrize("text", ["0 5 * *", "0 0 * * * 30", "0 0 31W * *", "0 0 15W * 1"])
def test_crons_without_an_equal_are_refused(text: str) -> None:
    view, [finding] = schedule_view(replace(BASE, schedule=cron(text)))
    assert (finding.id, finding.verdict) == ("OB503", Verdict.REFUSED)
    assert repr(text) in finding.message
    assert finding.remedy
    assert view.expressions == ()


@pytest.mark.parametrize(
    ("minutes", "expressions", "period"),
    [
        (1, ("cron(* * * * ? *)",), None),
        (15, ("cron(0/15 * * * ? *)",), None),
        (60, ("cron(0 * * * ? *)",), None),
        (360, ("cron(0 0/6 * * ? *)",), None),
        (1440, ("cron(0 0 * * ? *)",), None),
        (7 * 60, ("cron(0 * * * ? *)",), 420),
        (10 * 60, ("cron(0 0/2 * * ? *)",), 600),
        (90, ("cron(0,30 * * * ? *)",), 90),
        (7, ("cron(* * * * ? *)",), 7),
        (7 * 1440, ("cron(0 0 * * ? *)",), 7 * 1440),
    ],
)
def test_periods_of_airflow_2_are_counted_from_1970(
    minutes: int, expressions: tuple[str, ...], period: int | None
) -> None:
    view, findings = schedule_view(replace(BASE, schedule=delta(minutes * 60, interval=True)))
    assert view.expressions == expressions
    assert view.period == (Period(minutes=period, anchor="1970-01-01T00:00:00Z") if period else None)
    assert (view.timezone, findings) == ("UTC", ())


def test_a_period_with_catchup_is_counted_from_start_date() -> None:
    workflow = replace(BASE, start_date="2024-01-01T07:20:00+02:00", catchup=True, schedule=delta(6 * 3600))
    view, [finding] = schedule_view(workflow)
    assert (view.expressions, view.period) == (("cron(20 5/6 * * ? *)",), None)
    assert (view.start, finding.id) == ("2024-01-01T05:20:00Z", "OB508")


@pytest.mark.parametrize(
    ("minutes", "rate"),
    [
        (1, "rate(1 minute)"),
        (90, "rate(90 minutes)"),
        (60, "rate(1 hour)"),
        (2880, "rate(2 days)"),
        (1440, "rate(1 day)"),
    ],
)
def test_a_period_of_airflow_3_without_catchup_is_a_rate(minutes: int, rate: str) -> None:
    view, [finding] = schedule_view(replace(BASE, schedule=delta(minutes * 60.0)))
    assert (view.expressions, finding.id) == ((rate,), "OB507")


@pytest.mark.parametrize(("seconds", "rule"), [(30, "OB511"), (90.5, "OB511"), (None, "OB502")])
def test_periods_that_no_expression_says_are_refused(seconds: float | None, rule: str) -> None:
    view, [finding] = schedule_view(replace(BASE, schedule=delta(seconds)))
    assert (finding.id, finding.verdict, view.expressions) == (rule, Verdict.REFUSED, ())


@pytest.mark.parametrize(
    ("kind", "rule", "severity"),
    [
        (ScheduleKind.NONE, "OB501", Severity.INFO),
        (ScheduleKind.ONCE, "OB506", Severity.WARNING),
        (ScheduleKind.ASSET, "OB523", Severity.WARNING),
        (ScheduleKind.CONTINUOUS, "OB502", Severity.ERROR),
        (ScheduleKind.CUSTOM, "OB502", Severity.ERROR),
    ],
)
def test_schedules_that_are_no_times(kind: ScheduleKind, rule: str, severity: Severity) -> None:
    view, [finding] = schedule_view(replace(BASE, schedule=Schedule(kind=kind, text="x")))
    assert (finding.id, finding.severity, view.expressions) == (rule, severity, ())
    assert finding.remedy


def test_a_limit_of_runs_is_accounted_for() -> None:
    limit = (Attribute(name="max_active_runs", value=1),)
    workflow = replace(BASE, schedule=cron("0 5 * * *"), max_active_runs=1, attributes=limit)
    [finding] = schedule_view(workflow)[1]
    assert (finding.id, finding.attribute) == ("OB515", "max_active_runs")
    assert "max_active_runs=1" in finding.message


def test_paused_and_catchup_are_accounted_for() -> None:
    workflow = replace(BASE, schedule=cron("0 5 * * *"), paused=True, catchup=True)
    view, findings = schedule_view(workflow)
    assert view.state == "DISABLED"
    assert [(finding.id, finding.attribute) for finding in findings] == [
        ("OB508", "catchup"),
        ("OB509", "is_paused_upon_creation"),
    ]


def test_a_start_date_long_ago_is_a_moment_that_can_be_read() -> None:
    ago = replace(BASE, schedule=cron("0 5 * * *"), start_date="0001-01-01T00:00:00+00:00")
    assert schedule_view(ago)[0].start == "0001-01-01T05:00:00Z"


def test_a_partitioned_cron_starts_runs_as_any_other_does() -> None:
    partitions = Partitions(by=PartitionedBy.CRON, key_format="%Y-%m-%d", offset=-1)
    plain, keyed = (
        schedule_view(replace(BASE, schedule=replace(cron("0 6 * * *"), partitions=each)))
        for each in (None, partitions)
    )
    assert (replace(keyed[0], partitions=None), keyed[1]) == plain
    assert "partitions" not in plain[0].to_json()
    assert keyed[0].to_json()["partitions"] == {"by": "cron", "key_format": "%Y-%m-%d", "offset": -1}


def test_a_dag_that_is_partitioned_at_run_time_says_how_a_run_gets_its_key() -> None:
    schedule = Schedule(text="PartitionedAtRuntime", partitions=Partitions(by=PartitionedBy.RUNTIME))
    view, (finding,) = schedule_view(replace(BASE, schedule=schedule))
    assert (view.expressions, finding.id) == ((), "OB501")
    assert view.to_json()["partitions"] == {"by": "runtime"}
    assert "PartitionedAtRuntime" in finding.message
    assert "partition_key" in finding.remedy
