"""Keys and dates of partitions as Airflow's own classes make them."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orkestra_bridge.runtime.loading import FACADE
from orkestra_bridge.runtime.partitions import date_of
from orkestra_bridge.runtime.rundates import resolve_run

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(
    tuple(map(int, version("apache-airflow").split(".")[:2])) < (3, 3), reason="partitions are Airflow 3.3's"
)
WORKER = Path(__file__).parents[2] / "support" / "airflow_partitions.py"
FORMAT = "%Y-%m-%dT%H:%M:%S"
CRONS: list[tuple[str, dict[str, Any]]] = [
    ("0 * * * *", {"timezone": "UTC"}),
    ("15 */6 * * *", {"timezone": "UTC", "run_offset": -1}),
    ("0 0 * * 1", {"timezone": "UTC", "run_offset": 2, "key_format": "week %V of %G"}),
    ("0 0 * * *", {"timezone": "Asia/Taipei"}),
    ("30 2 * * *", {"timezone": "Europe/Rome", "run_offset": -1}),
    ("0 * * * *", {"timezone": "America/New_York", "run_offset": 3}),
    ("0 3 1 * *", {"timezone": "Europe/Rome", "run_offset": -2, "key_format": "%Y-%m"}),
]
TICKS = [
    (datetime(2024, 3, 29, tzinfo=timezone.utc) + timedelta(hours=7 * step)).isoformat() for step in range(20)
]
KEYS = ["2024-03-31T02:30:00", "2024-10-27T02:30:00", "2024-05-05T00:00:00", "2024-05", "us", ""]


def airflows(cases: list[dict[str, Any]], **environment: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, str(WORKER)],
        input=json.dumps(cases),
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def schedule_of(cron: str, options: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": "cron",
        "expressions": [cron],
        "timezone": options["timezone"],
        "data_interval": False,
        "partitions": {
            "by": "cron",
            "key_format": options.get("key_format", FORMAT),
            "offset": options.get("run_offset", 0),
        },
    }


def asked(question: Callable[..., datetime | None], *arguments: Any) -> str | None:
    """Return the date that a function gives in ISO 8601; None if it gives none or raises."""
    try:
        found = question(*arguments)
    except ValueError:
        return None
    return found.isoformat() if found else None


def ours(schedule: dict[str, Any]) -> dict[str, Any]:
    runs = [resolve_run({"scheduled_time": tick}, {}, schedule, major=3) for tick in TICKS]
    return {
        "ticks": [[run.partition_key, run.partition_date and run.partition_date.isoformat()] for run in runs],
        "keys": [asked(date_of, key, schedule) for key in KEYS],
    }


TIMED = [f"StartOf{unit}Mapper" for unit in ("Hour", "Day", "Week", "Month", "Quarter", "Year")]
WINDOWS = [f"{unit}Window" for unit in ("Hour", "Day", "Week", "Month", "Quarter", "Year")]
OPTIONS = [
    "",
    "timezone='Europe/Rome'",
    "timezone='America/New_York', input_format='%Y-%m-%dT%H:%M:%S%z'",
    "input_format='%Y-%m-%d'",
    "timezone='Asia/Taipei', output_format='%Y/%m/%d %H'",
    "output_format='%Y-%m-%d of quarter {quarter}'",
    "output_format='%d.%m.%Y week %V', max_downstream_keys=3",
    "output_format='%Y%Y'",
    "output_format='{a}{b}'",
    "output_format='{}'",
]
POLICIES = ["None", "WaitForAll()", "MinimumCount(2)", "MinimumCount(-1)"]
PLAIN = [
    "IdentityMapper()",
    "IdentityMapper(max_downstream_keys=0)",
    "AllowedKeyMapper(['us', 'eu'])",
    "FixedKeyMapper('all')",
    "FixedKeyMapper('')",
    "ProductMapper(IdentityMapper(), StartOfDayMapper())",
    "ProductMapper(StartOfDayMapper(), AllowedKeyMapper(['us']), delimiter='/')",
    "ProductMapper(StartOfDayMapper(), StartOfHourMapper())",
    "ProductMapper(IdentityMapper(), FanOutMapper(upstream_mapper=StartOfWeekMapper(), window=WeekWindow()))",
    "ChainMapper(StartOfHourMapper(), StartOfDayMapper(input_format='%Y-%m-%dT%H'))",
    "ChainMapper(FanOutMapper(upstream_mapper=StartOfWeekMapper(), window=WeekWindow()), IdentityMapper())",
    (
        "ChainMapper(IdentityMapper(), FanOutMapper(upstream_mapper=StartOfYearMapper(), window=YearWindow()), "
        "StartOfQuarterMapper(input_format='%Y-%m'), max_downstream_keys=5)"
    ),
    "RollupMapper(upstream_mapper=FixedKeyMapper('all'), window=SegmentWindow(['us', 'eu', 'us']))",
    "RollupMapper(upstream_mapper=StartOfDayMapper(), window=SegmentWindow(['us']))",
    "RollupMapper(upstream_mapper=IdentityMapper(), window=DayWindow())",
    "FanOutMapper(upstream_mapper=IdentityMapper(), window=SegmentWindow(['us']), downstream_mapper=IdentityMapper())",
    "FanOutMapper(upstream_mapper=IdentityMapper(), window=SegmentWindow(['us']))",
    "FanOutMapper(upstream_mapper=StartOfHourMapper(), window=HourWindow(), downstream_mapper=IdentityMapper())",
    "RollupMapper(upstream_mapper=IdentityMapper(), window=SegmentWindow(['']))",
]


def mapper_cases() -> list[dict[str, Any]]:
    """Return every mapper for times with every option, rollups and fan-outs with every window, and all others."""
    chance = random.Random(33)
    mappers = [f"{mapper}({options})" for mapper in TIMED for options in OPTIONS]
    for mapper in TIMED:
        for window in WINDOWS:
            inner = f"{mapper}({chance.choice(OPTIONS[:6])})"
            direction = chance.choice(["", "direction=Window.Direction.BACKWARD", "direction='forward'"])
            both = f"upstream_mapper={inner}, window={window}({direction})"
            mappers.append(f"RollupMapper({both}, wait_policy={chance.choice(POLICIES)})")
            mappers.append(f"FanOutMapper({both})")
    moments = [
        datetime(2024, 1, 1, tzinfo=timezone.utc) + timedelta(minutes=chance.randrange(60 * 24 * 400))
        for _ in range(6)
    ]
    forms = [FORMAT, "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z"]
    times = [moment.strftime(form) for moment in moments for form in forms]
    times += ["2024-03-31T02:30:00", "2024-10-27T02:30:00", "2024-03-10T02:30:00"]
    keys = [*times, "us", "eu", "", "us|2024-05-06T07:08:09", "2024-05-06T07:08:09/us", "a|b|c"]
    written = ["2024-03-31", "2024-05", "2024-Q2", "2024", "2024-05-06T07", "2024-05-06 (W19)", "all", "us"]
    others = [
        "2024/05/06 07", "2024-04-01 of quarter 2", "06.05.2024 week 19", "us|2024-05-06", "2024-05-06/us",
        "2024-05-06|2024-05-06T07", "2024-10-27", "2024-03-31T02", "2024-01-01x",
    ]  # fmt: skip
    return [{"mapper": mapper, "keys": keys, "targets": written + others} for mapper in (*mappers, *PLAIN)]


@pytest.fixture(scope="module")
def theirs() -> list[dict[str, Any]]:
    """Return what Airflow answers to all cases: it is started once."""
    asked = [{"cron": cron, "ticks": TICKS, "keys": KEYS} for cron in CRONS]
    return airflows([*asked, *mapper_cases()])


def test_a_cron_makes_the_keys_and_dates_that_airflow_makes(theirs: list[dict[str, Any]]) -> None:
    for cron, expected in zip(CRONS, theirs, strict=False):
        assert ours(schedule_of(*cron)) == expected, cron


def test_mappers_make_of_keys_what_airflows_make(theirs: list[dict[str, Any]]) -> None:
    cases = mapper_cases()
    own = f"{FACADE}{os.pathsep}{Path(FACADE).parents[2]}"
    found = airflows(cases, PYTHONPATH=own)
    for case, expected, answer in zip(cases, theirs[len(CRONS) :], found, strict=True):
        assert answer == expected, case["mapper"]
