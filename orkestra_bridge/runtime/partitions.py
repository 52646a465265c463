"""The partition that a run is about: its key, and the moment at which it begins.

Source: `airflow/timetables/trigger.py` (CronPartitionTimetable), `Timetable.resolve_partition_date`, and
`SerializedDAG.validate_partition_key` of Airflow 3.3.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.rundates import Ticks, in_zone, parse_moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.runtime.rundates import Run

LONGEST_KEY = 250
"""Characters (`airflow.models.base.ID_LEN`)."""


def placed(run: Run, document: Mapping[str, Any], schedule: Mapping[str, Any]) -> Run:
    """Return a run with the partition that it is about, and without the dates that Airflow does not give to such a run.

    A tick of the schedule is about the partition that lies ``offset`` ticks later, a backfill about the one that begins
    at its date. Whoever starts another run may name a key.

    Raises:
        ValueError: If the DAG does not take the key.
    """
    key = document.get("partition_key")
    if key is not None:
        check_key(key, schedule)
        date = document.get("partition_date")
        return run._replace(
            partition_key=key, partition_date=parse_moment(date) if date else date_of(key, schedule)
        )
    partitions = schedule["partitions"]
    if partitions["by"] != "cron" or run.run_type == "manual":
        return run
    offset = 0 if run.run_type == "backfill" else int(partitions["offset"])
    moment = _shifted(run.end, offset, Ticks(schedule))
    key = moment.astimezone(_zone(schedule)).strftime(partitions["key_format"])
    run_id = document.get("run_id") or _run_id(run, key)
    return run._replace(run_id=run_id, dated=False, partition_key=key, partition_date=moment)


def check_key(key: Any, schedule: Mapping[str, Any]) -> None:
    """Raise ValueError if a run of a DAG with this schedule cannot have the key."""
    if not schedule.get("partitions"):
        raise ValueError(f"the DAG is not partitioned and takes no partition_key; it was given {key!r}")
    if not isinstance(key, str) or not key.strip() or len(key) > LONGEST_KEY:
        raise ValueError(f"partition_key must be text of 1 to {LONGEST_KEY} characters, not {key!r}")


def date_of(key: str, schedule: Mapping[str, Any]) -> datetime | None:
    """Return the moment at which a partition begins, in UTC, as far as the schedule says it.

    Raises ValueError: the key has not the format of the schedule's keys.
    """
    partitions = schedule["partitions"]
    if partitions["by"] != "cron":
        return None
    return in_zone(datetime.strptime(key, partitions["key_format"]), _zone(schedule))  # noqa: DTZ007 - the zone follows


def _zone(schedule: Mapping[str, Any]) -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo(schedule.get("timezone") or "UTC")


def _shifted(tick: datetime, offset: int, ticks: Ticks) -> datetime:
    step = ticks.after if offset > 0 else ticks.before
    for _ in range(abs(offset)):
        tick = step(tick)
    return tick


def _run_id(run: Run, key: str) -> str:
    """Return the run id; where Airflow has random letters, it has some that are the same in all tasks of the run."""
    from hashlib import sha256

    plain = f"{run.run_type}__{run.run_after.isoformat()}__{key}"
    return f"{plain}__{sha256(plain.encode()).hexdigest()[:8]}"
