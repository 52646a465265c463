"""Asks LatestOnlyOperator whether runs are the latest, at moments around the ticks of several schedules.

    python latest_only.py MAJOR        prints {case: decision}

Runs with Airflow's own operator, or with the facade's where the facade is first on the import path. The DAG runs are
stand-ins.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

TICK = datetime(2024, 3, 1, 6, tzinfo=timezone.utc)
SECOND = timedelta(seconds=1)
SCHEDULES: dict[str, tuple[str | timedelta, timedelta]] = {
    "daily": ("0 6 * * *", timedelta(days=1)),
    "hourly": ("@hourly", timedelta(hours=1)),
    "period": (timedelta(hours=6), timedelta(hours=6)),
}
KINDS = {"interval": True, "point": False}


def cases() -> Iterator[tuple[str, str, bool, datetime]]:
    """Yield a name, a schedule, whether its runs cover an interval, and now; the run is that of TICK."""
    for schedule, (_, step) in SCHEDULES.items():
        for kind, interval in KINDS.items():
            for ticks in (-1, 0, 1, 2):
                for seconds in (-1, 0, 1):
                    now = TICK + ticks * step + seconds * SECOND
                    yield f"{schedule} {kind} {ticks:+} ticks {seconds:+} s", schedule, interval, now


def run_of(schedule: str, *, interval: bool, run_type: str = "scheduled") -> Any:
    """Return a stand-in for the DAG run that TICK starts."""
    start = TICK - SCHEDULES[schedule][1] if interval else TICK
    return SimpleNamespace(
        run_type=run_type,
        external_trigger=run_type == "manual",
        logical_date=start,
        execution_date=start,
        run_after=TICK,
        data_interval_start=start,
        data_interval_end=TICK,
    )


def with_facade() -> dict[str, bool]:
    """Return the facade's decisions."""
    from airflow._impl.calendar_branches import LatestOnlyOperator
    from airflow._impl.settings import configure

    from orkestra_bridge.runtime.rundates import Ticks

    configure(version=f"{sys.argv[1]}.0.0", dags_folder="")
    operator = LatestOnlyOperator(task_id="t")
    found = {}
    for name, schedule, interval, now in cases():
        given, step = SCHEDULES[schedule]
        expression = "0 * * * *" if given == "@hourly" else given
        document = (
            {"kind": "cron", "expressions": [expression]}
            if isinstance(expression, str)
            else {"kind": "delta", "seconds": step.total_seconds()}
        )
        run = run_of(schedule, interval=interval)
        run.ticks = Ticks({**document, "data_interval": interval})
        found[name] = operator.is_latest(run, now)
    return found


def with_airflow() -> dict[str, bool]:
    """Return Airflow's decisions."""
    import pendulum

    dags = {
        (name, interval): dag_of(name, interval=interval) for name in SCHEDULES for interval in (True, False)
    }
    found = {}
    for name, schedule, interval, now in cases():
        dag = dags[schedule, interval]
        pendulum.now = lambda *_, moment=now: pendulum.instance(moment)
        task = dag.get_task("t")
        run = run_of(schedule, interval=interval)
        run.dag_id = dag.dag_id
        context = {"dag_run": run, "dag": dag, "task": task}
        found[name] = bool(task.choose_branch(context))
    return found


def dag_of(schedule: str, *, interval: bool) -> Any:
    """Return a DAG with a timetable of the kind asked for."""
    from airflow import DAG
    from airflow.operators.empty import EmptyOperator
    from airflow.operators.latest_only import LatestOnlyOperator

    with DAG(
        f"{schedule}_{interval}", schedule=timetable_of(schedule, interval=interval), start_date=TICK
    ) as dag:
        LatestOnlyOperator(task_id="t") >> EmptyOperator(task_id="below")
    return dag


def timetable_of(schedule: str, *, interval: bool) -> Any:
    """Return a timetable; Airflow 3's own classes for the schedules that DAG files give have other homes."""
    given, _ = SCHEDULES[schedule]
    module = "airflow.timetables.interval" if interval else "airflow.timetables.trigger"
    names = {True: ("CronDataIntervalTimetable", "DeltaDataIntervalTimetable")}
    cron, delta = names.get(interval, ("CronTriggerTimetable", "DeltaTriggerTimetable"))
    classes = __import__(module, fromlist=[cron, delta])
    if isinstance(given, timedelta):
        return getattr(classes, delta)(given)
    return getattr(classes, cron)(given, timezone="UTC")


def main() -> None:
    """Print the decisions of whichever `airflow` can be imported."""
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(
            AIRFLOW_HOME=home,
            AIRFLOW__DATABASE__SQL_ALCHEMY_CONN="sqlite://",
            AIRFLOW__LOGGING__LOGGING_LEVEL="FATAL",
        )
        import airflow

        found = with_facade() if "facade" in str(airflow.__file__) else with_airflow()
    sys.stdout.write("\n" + json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
