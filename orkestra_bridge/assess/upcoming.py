"""The next times at which a schedule starts a run."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from heapq import merge
from itertools import groupby, islice
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from orkestra_bridge.stack.cron import parse_cron
from orkestra_bridge.stack.ticks import ticks
from orkestra_bridge.stack.zones import aws_zone, moment_of, to_utc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.stack.model import ScheduleView

COUNT = 3


def upcoming(workflow: Workflow, view: ScheduleView, now: datetime) -> tuple[str, ...]:
    """Return the next times after ``now``, ISO 8601; empty where nothing starts the DAG at a known time."""
    first = max(now, moment_of(view.start)) if view.start else now
    last = moment_of(view.end) if view.end else None
    found = moments(workflow, view, first) if view.expressions else iter(())
    zone = ZoneInfo(aws_zone(workflow.schedule.timezone) or "UTC")
    return tuple(
        moment.astimezone(zone).isoformat(timespec="minutes")
        for moment in islice(found, COUNT)
        if last is None or moment <= last
    )


def _fired(cron: str, day: date, zone: str, *, every_hour: bool) -> Iterator[datetime]:
    """Yield when EventBridge fires a cron, from a day on: not at times that do not exist in the zone."""
    info = ZoneInfo(zone)
    for tick in ticks(parse_cron(cron), day):
        moments = {to_utc(tick, zone)}
        if every_hour:
            moments = {tick.replace(tzinfo=info, fold=fold).astimezone(timezone.utc) for fold in (0, 1)}
        yield from sorted(
            each for each in moments if each.astimezone(info).replace(tzinfo=None, fold=0) == tick
        )


def moments(workflow: Workflow, view: ScheduleView, first: datetime) -> Iterator[datetime]:
    """Yield when a schedule with expressions starts runs, from a moment on; nothing if it counts from the deployment."""
    schedule = workflow.schedule
    if schedule.expressions:
        zone = aws_zone(schedule.timezone) or "UTC"
        day = first.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)
        every_hour = view.timezone != zone  # then the expressions fire by UTC, through the change of clocks
        streams = [
            (each for each in _fired(text, day, zone, every_hour=every_hour) if each >= first)
            for text in schedule.expressions
        ]
        yield from (moment for moment, _ in groupby(merge(*streams)))
    elif view.period is not None or not view.expressions[0].startswith("rate("):
        period = timedelta(seconds=schedule.seconds or 0)
        anchor = (
            moment_of(view.period.anchor) if view.period else moment_of(view.start or "1970-01-01T00:00:00Z")
        )
        moment = anchor + -((anchor - first) // period) * period
        while True:
            yield moment
            moment += period
