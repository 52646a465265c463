"""The moments at which a cron fires, to find the first and the last run of a DAG with a start and an end."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orkestra_bridge.stack.cron import Cron

_LONGEST_GAP = timedelta(days=366 * 30)
"""February 29th falls on the same weekday after 28 years at the latest, but for centuries."""
_DAY = timedelta(days=1)


def next_tick(cron: Cron, after: datetime, *, including: bool = False) -> datetime | None:
    """Return the first local time after the given one (or that one) at which the cron fires, or None."""
    for tick in ticks(cron, after.date()):
        if tick > after or (including and tick == after):
            return tick
    return None


def ticks(cron: Cron, first: date) -> Iterator[datetime]:
    """Yield the local times at which the cron fires from the given day on, at most for thirty years."""
    day, end = first, first + _LONGEST_GAP
    while day < end:
        if cron.on(day):
            for hour in cron.hours:
                for minute in cron.minutes:
                    yield datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001 - a local time
        day += _DAY
