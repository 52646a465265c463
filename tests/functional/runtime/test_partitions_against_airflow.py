"""Keys and dates of partitions as Airflow's own classes make them."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

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


def airflows(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, str(WORKER)], input=json.dumps(cases), capture_output=True, text=True, timeout=120, check=False
    )  # fmt: skip
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


def test_a_cron_makes_the_keys_and_dates_that_airflow_makes() -> None:
    asked = [{"cron": cron, "ticks": TICKS, "keys": KEYS} for cron in CRONS]
    for cron, expected in zip(CRONS, airflows(asked), strict=True):
        assert ours(schedule_of(*cron)) == expected, cron
