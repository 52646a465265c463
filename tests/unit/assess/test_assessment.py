"""The number, the next runs, the layout, and the forms for people and programs; no Airflow."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sarif_pydantic import Sarif
from workflows import a_task, a_workflow

from orkestra_bridge.assess.layout import BOX, layout
from orkestra_bridge.assess.markdown import markdown
from orkestra_bridge.assess.model import Assessment, DagAssessment, TaskView
from orkestra_bridge.assess.page import html
from orkestra_bridge.assess.readiness import readiness
from orkestra_bridge.assess.sarif import sarif
from orkestra_bridge.assess.text import WIDTH, text
from orkestra_bridge.assess.upcoming import upcoming
from orkestra_bridge.assess.words import schedule_text
from orkestra_bridge.diagnostics import Finding, Severity
from orkestra_bridge.ir.model import AssetCondition, Schedule, ScheduleKind, SourceSpan
from orkestra_bridge.passes.rules import DEPENDS_ON_PAST, DISPLAY, FAIL_FAST, POOL, PRIORITY, UNUSED_DEFAULT
from orkestra_bridge.policy import Allowance, apply_allowances
from orkestra_bridge.rulebook import all_rules
from orkestra_bridge.stack.schedule import schedule_view

if TYPE_CHECKING:
    from orkestra_bridge.diagnostics import Rule

PLACE = SourceSpan("dags/my dag.py", 3)
NOW = datetime(2024, 3, 29, 12, 0, tzinfo=timezone.utc)


def found(*rules: Rule) -> list[Finding]:
    return [rule.at(PLACE, "no <b>", "do | that", dag_id="sales", task_id="load") for rule in rules]


@pytest.mark.parametrize(
    ("rules", "number"),
    [
        ((), 100),
        ((UNUSED_DEFAULT,), 100),
        ((PRIORITY,), 98),
        ((PRIORITY, PRIORITY, DISPLAY), 96),
        ((POOL,), 92),
        ((POOL, PRIORITY), 90),
        ((DEPENDS_ON_PAST,), 49),
        ((DEPENDS_ON_PAST, DEPENDS_ON_PAST, POOL), 49),
        ((DEPENDS_ON_PAST, FAIL_FAST), 39),
    ],
)
def test_the_number(rules: tuple[Rule, ...], number: int) -> None:
    assert readiness(found(*rules))[0] == number


@given(st.lists(st.sampled_from(sorted(all_rules()))))
def test_below_fifty_means_refused(ids: list[str]) -> None:
    findings = found(*(all_rules()[each] for each in ids))
    number, reasons = readiness(findings)
    assert 0 <= number <= 100
    assert (number < 50) is any(each.severity.value == "error" for each in findings)
    assert {reason.id for reason in reasons} <= set(ids)
    assert number == readiness(reversed(findings))[0]


def cron(*expressions: str, zone: str = "UTC") -> Schedule:
    return Schedule(kind=ScheduleKind.CRON, expressions=expressions, timezone=zone, text=expressions[0])


def test_an_hourly_run_comes_twice_when_clocks_go_back() -> None:
    workflow = a_workflow(a_task("t"), schedule=cron("0 * * * *", zone="Europe/Paris"))
    now = datetime(2024, 10, 26, 23, 30, tzinfo=timezone.utc)
    found = upcoming(workflow, schedule_view(workflow)[0], now)
    assert found == ("2024-10-27T02:00+02:00", "2024-10-27T02:00+01:00", "2024-10-27T03:00+01:00")


def delta(hours: int, *, interval: bool) -> Schedule:
    return Schedule(kind=ScheduleKind.DELTA, seconds=hours * 3600.0, data_interval=interval, text="x")


@pytest.mark.parametrize(
    ("schedule", "dates", "expected"),
    [
        (
            cron("30 2 * * *", zone="Europe/Paris"),
            {},
            ["2024-03-30T02:30+01:00", "2024-04-01T02:30+02:00", "2024-04-02T02:30+02:00"],
        ),
        (
            cron("0 6 * * 1", "0 18 * * *"),
            {},
            ["2024-03-29T18:00+00:00", "2024-03-30T18:00+00:00", "2024-03-31T18:00+00:00"],
        ),
        (cron("0 6 * * *"), {"end_date": "2024-03-30T06:00:00+00:00"}, ["2024-03-30T06:00+00:00"]),
        (
            cron("0 6 * * *"),
            {"start_date": "2030-01-01T00:00:00+00:00"},
            ["2030-01-01T06:00+00:00", "2030-01-02T06:00+00:00", "2030-01-03T06:00+00:00"],
        ),
        (
            delta(7, interval=True),
            {},
            ["2024-03-29T18:00+00:00", "2024-03-30T01:00+00:00", "2024-03-30T08:00+00:00"],
        ),
        (delta(6, interval=False), {}, []),
        (Schedule(), {}, []),
        (Schedule(kind=ScheduleKind.ASSET), {}, []),
    ],
)
def test_the_next_runs(schedule: Schedule, dates: dict[str, str], expected: list[str]) -> None:
    workflow = a_workflow(a_task("t"), schedule=schedule, **dates)
    view = schedule_view(workflow)[0]
    assert list(upcoming(workflow, view, NOW)) == expected


@pytest.mark.parametrize("timed", [cron("0 6 * * *"), delta(24, interval=True)])
def test_a_dag_that_waits_for_assets_or_a_time_has_next_times_and_says_both(timed: Schedule) -> None:
    schedule = replace(timed, kind=ScheduleKind.ASSET, assets=AssetCondition(kind="asset", uri="s3://b/x"))
    workflow = a_workflow(a_task("t"), schedule=schedule)
    view = schedule_view(workflow)[0]
    alone = replace(workflow, schedule=timed)
    expected = upcoming(alone, schedule_view(alone)[0], NOW)
    assert len(expected) == 3
    assert upcoming(workflow, view, NOW) == expected
    dag = replace(an_assessment().dags[0], schedule=view.to_json())
    assert schedule_text(dag).endswith("and events of its assets")


@given(st.integers(1, 400), st.integers(0, 10_000))
def test_runs_of_a_period_are_in_the_future_and_a_period_apart(hours: int, later: int) -> None:
    workflow = a_workflow(a_task("t"), schedule=delta(hours, interval=True))
    now = NOW + timedelta(minutes=later)
    times = [datetime.fromisoformat(each) for each in upcoming(workflow, schedule_view(workflow)[0], now)]
    assert len(times) == 3
    assert timedelta() <= times[0] - now < timedelta(hours=hours)
    assert {after - before for before, after in pairwise(times)} == {timedelta(hours=hours)}


def view(task_id: str, *upstream: str, runs: str = "lambda") -> TaskView:
    return TaskView(
        task_id=task_id,
        operator="PythonOperator",
        runs=runs,
        upstream=upstream,
        place="dags/my dag.py:7",
        mapped=task_id == "m",
    )


@given(st.lists(st.sets(st.integers(0, 30)), max_size=30))
def test_boxes_do_not_overlap_and_edges_point_right(above: list[set[int]]) -> None:
    tasks = [
        view(f"t{number}", *(f"t{each}" for each in sorted(ids) if each < number))
        for number, ids in enumerate(above)
    ]
    plan = layout(tasks)
    assert len(set(plan.places.values())) == len(tasks)
    for task in tasks:
        x, y = plan.places[task.task_id]
        assert 0 <= x <= plan.width - BOX[0]
        assert 0 <= y <= plan.height - BOX[1]
        assert all(plan.places[each][0] + BOX[0] < x for each in task.upstream)
        others = [place for place in plan.places.values() if place[0] == x and place[1] != y]
        assert all(abs(place[1] - y) >= BOX[1] for place in others)


def an_assessment() -> Assessment:
    findings = (
        *found(DEPENDS_ON_PAST, POOL, UNUSED_DEFAULT),
        *apply_allowances(found(POOL), (Allowance("OB201"),)),
    )
    number, reasons = readiness(findings)
    dag = DagAssessment(
        dag_id="sales",
        file="dags/my dag.py",
        line=2,
        tasks=(view("a" * 60), view("m", "a" * 60), view("<x>", "m", runs="refused")),
        schedule=schedule_view(a_workflow(schedule=cron("0 6 * * *")))[0].to_json(),
        upcoming=("2024-03-30T06:00+00:00",),
        readiness=number,
        reasons=reasons,
        states=0,
        transitions=0,
        machines=(),
        inline_limit=8192,
        cost=None,
        attributes={"kept": 3, "approximated": 1, "refused": 1, "unaccounted": 0},
        findings=tuple(
            Finding(
                **{**{name: getattr(each, name) for name in each.__slots__}, "dag_place": "dags/my dag.py:2"}
            )
            for each in findings
        ),
    )
    return Assessment(airflow_version="3.3.2", dags=(dag,), findings=())


def test_text_fits_a_terminal_and_has_everything_that_matters() -> None:
    from click import unstyle

    lines = unstyle(text(an_assessment())).splitlines()
    assert max(map(len, lines)) <= WIDTH
    whole = "\n".join(lines)
    for word in (
        "sales",
        "blocked 49/100",
        "cron(0 6 * * ? *)",
        "OB206",
        "do | that",
        "1 refused",
        "2024-03-30T06:00",
    ):
        assert word in whole
    assert "OB224" not in whole
    assert "OB224" in unstyle(text(an_assessment(), shown=tuple(Severity)))


def test_sarif_fits_the_standard() -> None:
    log = sarif(an_assessment().all_findings())
    (run,) = Sarif.model_validate(log).runs
    assert [each["id"] for each in log["runs"][0]["tool"]["driver"]["rules"]] == ["OB201", "OB206", "OB224"]
    results = log["runs"][0]["results"]
    assert run.results is not None
    assert [(each["ruleId"], each["level"]) for each in results] == [
        ("OB206", "error"),
        ("OB201", "warning"),
        ("OB224", "note"),
        ("OB201", "note"),
    ]
    location = results[0]["locations"][0]["physicalLocation"]
    assert location == {"artifactLocation": {"uri": "dags/my%20dag.py"}, "region": {"startLine": 3}}
    assert results[0]["relatedLocations"][0]["physicalLocation"]["region"] == {"startLine": 2}
    assert ["suppressions" in each for each in results] == [False, False, False, True]


def test_markdown_keeps_its_tables() -> None:
    for line in markdown(an_assessment()).splitlines():
        if line.startswith("| OB"):
            assert line.replace("\\|", "").count("|") == 7
            assert "<b>" not in line


def test_the_page_is_one_file_and_escapes_what_users_wrote() -> None:
    page = html(an_assessment(), source_url="https://example.com/{file}#L{line}")
    assert "no <b>" not in page
    assert "&lt;x&gt;" in page
    assert "https://example.com/dags/my dag.py#L3" in page
    assert page.replace("https://example.com/", "").count("http") == 0
    assert page.count("<svg") == 1
    assert 'class="task refused' in page


def test_json_is_complete() -> None:
    document = an_assessment().to_json()
    assert document["summary"]["blocked"] == 1
    (dag,) = document["dags"]
    assert dag["runs"] == {"lambda": 2, "refused": 1}
    assert len(dag["findings"]) == 4
    assert dag["verdict"] == "blocked"
