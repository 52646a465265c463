"""Time zones: their names on AWS and what their clock changes do to a schedule.

Source: AWS, EventBridge Scheduler user guide, "Time zones" and "Daylight savings time": names are those of
the IANA database; a time that does not exist on the day clocks go forward is skipped, one that occurs twice
runs once. Airflow (`CronMixin._get_next`) runs the former as much later as the clocks moved, the latter at
its second occurrence, and a schedule with ``*`` hours in both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from orkestra_bridge.stack.cron import Cron

_FIXED = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?\Z")
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_FROM = datetime(2026, 1, 1, tzinfo=timezone.utc)
_UNTIL = datetime(2037, 1, 1, tzinfo=timezone.utc)
"""Clock changes are looked for in fixed years: the same DAG gives the same findings on every day."""


@final
@dataclass(frozen=True, slots=True)
class ClockChange:
    """Local times (without a zone, end excluded) that are skipped if the clocks go forward, else repeated."""

    begin: datetime
    end: datetime
    forward: bool


def aws_zone(name: str) -> str | None:
    """Return the name that EventBridge Scheduler has for a time zone of Airflow's, None if there is none."""
    fixed = _FIXED.match(name)
    if fixed:
        sign, hours, minutes = fixed.groups()
        # the signs of Etc/GMT names are inverted: Etc/GMT-2 is two hours ahead of UTC
        name = f"Etc/GMT{'-' if sign == '+' else '+'}{int(hours)}"
        if int(minutes or 0):
            return None
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    return name


@lru_cache(maxsize=64)
def clock_changes(zone: str) -> tuple[ClockChange, ...]:
    """Return the clock changes of a zone in the years that matter, in order; raises ZoneInfoNotFoundError."""
    info = ZoneInfo(zone)
    changes = []
    day = _FROM
    while day < _UNTIL:
        if _offset(info, day) != _offset(info, day + _DAY):
            changes.append(_change(info, day, day + _DAY))
        day += _DAY
    return tuple(changes)


def _offset(info: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(info).utcoffset() or timedelta()


def _change(info: ZoneInfo, before: datetime, after: datetime) -> ClockChange:
    """Return the change between two moments that have different offsets, found by halving."""
    while after - before > _MINUTE:
        middle = before + (after - before) // 2
        if _offset(info, middle) == _offset(info, before):
            before = middle
        else:
            after = middle
    moment = after.replace(second=0, microsecond=0, tzinfo=None)
    old, new = moment + _offset(info, before), moment + _offset(info, after)
    return ClockChange(min(old, new), max(old, new), forward=new > old)


def hits(cron: Cron, change: ClockChange) -> datetime | None:
    """Return the first local time at which the cron fires within the change, or None."""
    moment = change.begin
    while moment < change.end:
        if moment.hour in cron.hours and moment.minute in cron.minutes and cron.on(moment.date()):
            return moment
        moment += _MINUTE
    return None


def constant_minutes(zone: str) -> int | None:
    """Return the minutes by which clocks are ahead of whole UTC hours, None if clock changes alter that."""
    info = ZoneInfo(zone)
    moments = [_FROM, *(change.begin.replace(tzinfo=info) + _DAY for change in clock_changes(zone))]
    found = {int(_offset(info, moment).total_seconds()) // 60 % 60 for moment in moments}
    return found.pop() if len(found) == 1 else None


def to_utc(local: datetime, zone: str) -> datetime:
    """Return the moment of a local time without a zone as Airflow takes it (`make_aware`), in UTC."""
    info = ZoneInfo(zone)
    first, second = (local.replace(tzinfo=info, fold=fold) for fold in (0, 1))
    offsets = first.utcoffset(), second.utcoffset()
    repeated = offsets[0] is not None and offsets[1] is not None and offsets[0] > offsets[1]
    return (second if repeated else first).astimezone(timezone.utc)


def local_time(moment: str, zone: str) -> datetime:
    """Return an ISO 8601 moment as the local time of a zone, without a zone."""
    return moment_of(moment).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def moment_of(text: str) -> datetime:
    """Return an ISO 8601 moment with an offset or ``Z``, in UTC; raises ValueError."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)


def iso(moment: datetime) -> str:
    """Return a moment as EventBridge Scheduler writes it: UTC, to the second, with a ``Z``."""
    # not strftime: it writes the year 1 with one digit
    return moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
