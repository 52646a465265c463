"""EventBridge Scheduler's clock for tests: when an expression fires, written down without the product's code.

Source: AWS, EventBridge Scheduler user guide, "Schedule types on EventBridge Scheduler".
"""

# ruff: noqa: DTZ001 - local times have no zone

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class Expression:
    """A ``cron(...)`` expression; its times are local."""

    def __init__(self, text: str) -> None:
        assert text.startswith("cron(")
        assert text.endswith(")")
        minutes, hours, self.day, months, self.weekday, years = text[5:-1].split(" ")
        self.minutes = sorted(self.values(minutes, 0, 59))
        self.hours = sorted(self.values(hours, 0, 23))
        self.months = self.values(months, 1, 12)
        self.years = self.values(years, 1970, 2199)
        assert (self.day == "?") != (self.weekday == "?")

    @staticmethod
    def values(field: str, first: int, last: int) -> set[int]:
        if field == "*":
            return set(range(first, last + 1))
        if "/" in field:
            start, step = field.split("/")
            return set(range(int(start), last + 1, int(step)))
        found: set[int] = set()
        for part in field.split(","):
            low, _, high = part.partition("-")
            found.update(range(int(low), int(high or low) + 1))
        return found

    def on(self, day: date) -> bool:
        if day.month not in self.months or day.year not in self.years:
            return False
        return self.on_month_day(day) if self.weekday == "?" else self.on_weekday(day)

    def on_month_day(self, day: date) -> bool:
        last = calendar.monthrange(day.year, day.month)[1]
        if self.day == "L":
            return day.day == last
        if self.day.endswith("W"):
            return day == self.nearest(day.replace(day=int(self.day[:-1])))
        return day.day in self.values(self.day, 1, 31)

    @staticmethod
    def nearest(wanted: date) -> date:
        near = sorted(
            (wanted + DAY * shift for shift in (-2, -1, 0, 1, 2)), key=lambda day: abs(day - wanted)
        )
        return next(day for day in near if day.month == wanted.month and day.weekday() < 5)

    def on_weekday(self, day: date) -> bool:
        number = day.isoweekday() % 7 + 1
        if "#" in self.weekday:
            wanted, nth = self.weekday.split("#")
            return number == int(wanted) and (day.day - 1) // 7 + 1 == int(nth)
        if self.weekday.endswith("L"):
            return number == int(self.weekday[:-1]) and (day + 7 * DAY).month != day.month
        found: set[int] = set()
        for part in self.weekday.split(","):
            low, _, high = part.partition("-")
            found.update(range(WEEKDAYS.index(low), WEEKDAYS.index(high or low) + 1))
        return number - 1 in found

    def between(self, after: datetime, until: datetime) -> set[datetime]:
        found: set[datetime] = set()
        day = after.date()
        while day <= until.date():
            if self.on(day):
                moments = (
                    datetime(day.year, day.month, day.day, hour, minute)
                    for hour in self.hours
                    for minute in self.minutes
                )
                found.update(moment for moment in moments if after < moment <= until)
            day += DAY
        return found


def in_utc(local: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the moment of a local time: None if clocks skip it, the second one if it comes twice."""
    moment = local.replace(tzinfo=zone, fold=1).astimezone(timezone.utc)
    return moment if moment.astimezone(zone).replace(tzinfo=None) == local else None


def moments(expressions: tuple[str, ...], zone: str, after: datetime, until: datetime) -> list[datetime]:
    """Return when schedules with these expressions fire, after one moment and until the other, in UTC."""
    info = ZoneInfo(zone)
    window = (after - DAY).replace(tzinfo=None), (until + DAY).replace(tzinfo=None)
    local = set[datetime]().union(*(Expression(text).between(*window) for text in expressions))
    found = {in_utc(moment, info) for moment in local}
    return sorted(moment for moment in found if moment is not None and after < moment <= until)
