"""Asks Airflow's own timetables when runs start: cases as JSON on standard input, moments on standard output.

A program of its own, so that Airflow is imported in a home of its own and not into the test process.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from typing import Any

MOST = 6000


def timetable(case: dict[str, Any]) -> Any:
    from airflow.timetables.interval import CronDataIntervalTimetable, DeltaDataIntervalTimetable
    from airflow.timetables.trigger import CronTriggerTimetable, DeltaTriggerTimetable

    if "seconds" in case:
        delta = timedelta(seconds=case["seconds"])
        return DeltaDataIntervalTimetable(delta) if case["interval"] else DeltaTriggerTimetable(delta)
    if case["interval"]:
        return CronDataIntervalTimetable(case["cron"], timezone=case["zone"])
    return CronTriggerTimetable(case["cron"], timezone=case["zone"])


def runs(case: dict[str, Any]) -> list[str]:
    """Return when the runs of a DAG with catchup start, from its start_date to its end_date, ISO 8601 in UTC."""
    from airflow.timetables.base import TimeRestriction
    from pendulum import instance

    bounds = [instance(datetime.fromisoformat(case[name])) for name in ("start", "end")]
    earliest, latest = (moment.in_timezone("UTC") for moment in bounds)
    restriction = TimeRestriction(earliest=earliest, latest=latest, catchup=True)
    found: list[str] = []
    interval, table = None, timetable(case)
    while len(found) < MOST:
        info = table.next_dagrun_info(last_automated_data_interval=interval, restriction=restriction)
        if info is None:
            break
        interval = info.data_interval
        found.append(info.run_after.isoformat())
    return found


if __name__ == "__main__":
    json.dump([runs(case) for case in json.load(sys.stdin)], sys.stdout)
