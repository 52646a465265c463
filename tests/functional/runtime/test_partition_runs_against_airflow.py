"""The launchers start the runs that Airflow's own asset manager and scheduler create: the same keys, dates and events."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any

import pytest

from orkestra_bridge.options import ConvertOptions
from orkestra_bridge.pipeline import convert

ROOT = Path(__file__).parents[3]
SUPPORT = ROOT / "tests" / "support"
WRITTEN = ROOT / "tests" / "data" / "partitions" / "flow.py"
LONG = pytest.mark.skipif("ORKESTRA_EQUIVALENCE" not in os.environ, reason="takes long")
EXAMPLE = "airflow/example_dags/example_asset_partition.py"
pytestmark = pytest.mark.skipif(
    tuple(map(int, version("apache-airflow").split(".")[:2])) < (3, 3), reason="partitions are Airflow 3.3's"
)

Step = list[list[Any]]


def answers(program: str, *arguments: str | Path, steps: list[Step]) -> list[Any]:
    done = subprocess.run(
        [sys.executable, str(SUPPORT / program), *map(str, arguments)],
        input=json.dumps(steps),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def compared(file: Path, folder: Path, steps: list[Step]) -> int:
    """Compare what each step starts, and return how many runs that were."""
    out = folder / "out"
    report = convert(ConvertOptions(paths=(file,), out=out, layers="skip", cache=None)).report
    assert {dag.verdict for dag in report.dags} == {"translated"}
    waiting = sorted(
        path.parent.name
        for path in out.glob("*/template.json")
        if "Ask for the partitions" in path.read_text(encoding="utf-8")
    )
    ours = answers("launcher_runs.py", out, *waiting, steps=steps)
    theirs = answers("airflow_partition_runs.py", folder / "home", file, steps=steps)
    for number, (step, found, expected) in enumerate(zip(steps, ours, theirs, strict=True)):
        assert found == expected, (number, step)
    return sum(map(len, ours))


def example_steps() -> list[Step]:
    """Return the hours of a day of one team, some of two others, a week of a model, a month, regions; in disorder."""
    chance = random.Random(7)
    teams = [(f"team_{team}_player_stats", f"file://incoming/player-stats/team_{team}.csv") for team in "abc"]
    moments = [datetime(2026, 1, 4, tzinfo=timezone.utc) + timedelta(hours=hour) for hour in range(24)]
    steps: list[Step] = [
        [[*team, f"{moment:%Y-%m-%dT%H:%M:%S}", moment.isoformat()]]
        for team, few in zip(teams, (24, 4, 3), strict=True)
        for moment in moments[:few]
    ]
    region = "multi_region_player_stats", "file://incoming/player-stats/multi-region.csv"
    raw = "region_raw_stats", "file://incoming/player-stats/by-region.csv"
    model = "weekly_model_artifact", "file://artifacts/models/weekly.bin"
    steps += [[[*region, key, None]] for key in ("us", "eu", "apac", "us", "mars")]
    steps += [[[*raw, key, None]] for key in ("us", "mars")]
    steps += [[[*region, key, None] for key in ("us", "eu", "apac")], [[*region, None, None]]]
    steps += [[[*model, "2026-01-05T00:00:00", "2026-01-05T00:00:00+00:00"]], [[*model, "a week", None]]]
    steps += [[["daily_team_a", "s3://team-a/daily", f"2026-02-{day:02}", None]] for day in range(1, 29)]
    sales = "regional_sales", "file://incoming/sales/regional.csv"
    steps += [
        [[*sales, f"{place}|2026-06-14T03:00:00", None] for place in ("us", "eu")],
        [[*sales, "us", None]],
    ]
    steps += [
        [
            [
                "combined_player_stats",
                "file://curated/player-stats/combined.csv",
                "2026-01-04T03",
                moments[3].isoformat(),
            ]
        ]
    ]
    chance.shuffle(steps)
    return steps


def written_steps(seed: int) -> list[Step]:
    """Return what tasks may say about the assets of the written DAGs."""
    chance = random.Random(seed)
    start = datetime(2024, 2, 26, tzinfo=timezone.utc)

    def event() -> list[Any]:
        name = chance.choice(("hours", "days", "days", "months", "regions", "pairs"))
        day = start + timedelta(days=chance.randrange(9))
        month = start.replace(month=chance.randint(1, 12), day=1)
        keys = {
            "hours": f"{day:%Y-%m-%d}T{chance.randrange(24):02}:00:00",
            "days": f"{day:%Y-%m-%d}",
            "months": f"{month:%Y-%m}",
            "regions": chance.choice(("us", "eu", "apac", "mars")),
            "pairs": f"{chance.choice(('us', 'mars'))}|{day:%Y-%m-%d}",
        }
        date = chance.choice((None, day.isoformat(), (day + timedelta(hours=1)).isoformat()))
        key = chance.choice(("nonsense", "")) if chance.random() < 0.03 else keys[name]
        return [name, f"s3://bucket/{name}", key or None, date if key else None]

    def step() -> Step:
        events = [event() for _ in range(chance.choice((1, 1, 1, 2, 4)))]
        once = list(
            {(each[0], each[2]): each for each in events}.values()
        )  # a task has one event for each partition
        return [each for each in once if each[2]] or once

    return [step() for _ in range(80)]


@LONG
def test_the_runs_of_airflows_example(tmp_path: Path) -> None:
    file = Path(str(distribution("apache-airflow-core").locate_file(EXAMPLE)))
    assert compared(file, tmp_path, example_steps()) > 25


@LONG
@pytest.mark.parametrize("seed", range(1, 5))
def test_the_runs_of_written_dags(tmp_path: Path, seed: int) -> None:
    assert compared(WRITTEN, tmp_path, written_steps(seed)) > 100
