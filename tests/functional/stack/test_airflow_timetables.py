"""The runs that schedule and launcher let through are those that Airflow itself would start."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from scheduler_clock import moments

from orkestra_bridge.ir.model import Schedule, ScheduleKind, SourceSpan, Workflow
from orkestra_bridge.stack.schedule import schedule_view

if TYPE_CHECKING:
    from orkestra_bridge.stack.model import ScheduleView

PROGRAM = Path(__file__).parents[2] / "support" / "airflow_ticks.py"
CRONS = (
    "30 2 * * *",
    "0 6 * * 1-5",
    "*/30 * * * *",
    "15 */3 * * *",
    "0 0 13 * 5",
    "0 1 * * 0",
    "5 1-3 * * 7",
)
START, END = "2026-03-05T03:10:00+00:00", "2026-03-14T03:10:00+00:00"
WINDOWS = {
    "UTC": [(START, END)],
    "America/New_York": [(START, END), ("2026-10-26T00:00:00+00:00", "2026-11-04T00:00:00+00:00")],
    "Europe/Paris": [
        ("2026-03-25T00:00:00+00:00", "2026-04-03T00:00:00+00:00"),
        ("2026-10-20T00:00:00+00:00", "2026-10-29T00:00:00+00:00"),
    ],
    "Australia/Adelaide": [("2026-04-01T00:00:00+00:00", "2026-04-10T00:00:00+00:00")],
    "Asia/Tokyo": [(START, END)],
}
"""For each zone days on which its clocks change, if they ever do, and some around them."""
CLOCK_CHANGE = "OB505"


def cases() -> list[dict[str, Any]]:
    """Return what is asked: each cron in each zone, and some periods."""
    found: list[dict[str, Any]] = []
    for (zone, windows), cron, interval in itertools.product(WINDOWS.items(), CRONS, (False, True)):
        spans = [{"start": start, "end": end} for start, end in windows]
        found.extend({"cron": cron, "zone": zone, "interval": interval, **span} for span in spans)
    for minutes, interval in itertools.product((30, 45, 360, 420, 1440, 2880), (False, True)):
        found.append(
            {"seconds": minutes * 60, "zone": "UTC", "interval": interval, "start": START, "end": END}
        )
    return found


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[dict[str, Any], list[datetime]]]:
    home = tmp_path_factory.mktemp("airflow")
    environment = {**os.environ, "AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    asked = cases()
    done = subprocess.run(
        [sys.executable, PROGRAM],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
        env=environment,
        cwd=home,
    )
    told = json.loads(done.stdout.splitlines()[-1])
    return [
        (case, [datetime.fromisoformat(text) for text in texts])
        for case, texts in zip(asked, told, strict=True)
    ]


def schedule(case: dict[str, Any]) -> Schedule:
    if "seconds" in case:
        return Schedule(kind=ScheduleKind.DELTA, seconds=case["seconds"], data_interval=case["interval"])
    return Schedule(
        kind=ScheduleKind.CRON,
        expressions=(case["cron"],),
        timezone=case["zone"],
        data_interval=case["interval"],
        text=case["cron"],
    )


def on_aws(view: ScheduleView) -> list[datetime]:
    assert view.start is not None
    assert view.end is not None
    first, last = (datetime.fromisoformat(text.replace("Z", "+00:00")) for text in (view.start, view.end))
    found = moments(view.expressions, view.timezone, first - timedelta(minutes=1), last)
    if view.period is None:
        return found
    anchor = datetime.fromisoformat(view.period.anchor.replace("Z", "+00:00"))
    length = timedelta(minutes=view.period.minutes)
    return [moment for moment in found if (moment - anchor) % length == timedelta()]


def test_silence_means_that_the_runs_are_the_same(
    answers: list[tuple[dict[str, Any], list[datetime]]],
) -> None:
    different = []
    for case, runs in answers:
        workflow = Workflow(
            dag_id="d",
            span=SourceSpan("d.py"),
            airflow_version="3.0.0",
            schedule=schedule(case),
            tasks=(),
            start_date=case["start"],
            end_date=case["end"],
            catchup=True,
        )
        view, findings = schedule_view(workflow)
        assert runs, case
        if on_aws(view) != [moment.astimezone(timezone.utc) for moment in runs]:
            assert CLOCK_CHANGE in {finding.id for finding in findings}, (case, view, runs)
            different.append(case)
    assert different, "no clock change did anything: the test has lost its subject"
    assert len(different) < len(answers) / 10
