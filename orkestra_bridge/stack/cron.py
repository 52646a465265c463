"""Cron as Airflow reads it: croniter's syntax, parsed into sets of values.

Source: croniter 7 (Airflow's `airflow.timetables._cron.CronMixin`): minute, hour, day of month, month, day of
week, then optionally second and year. A day matches if either day field does, unless one of them is ``*`` (or
covers everything).
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from datetime import date


class CronError(ValueError):
    """The expression cannot be read, or means something that has no fixed meaning."""


class Days(str, Enum):
    """What kind of days a rule selects."""

    EVERY = "every day"
    MONTH_DAYS = "days of the month"
    LAST = "last day of the month"
    NEAREST = "weekday nearest to a day of the month"
    WEEKDAYS = "days of the week"
    NTH = "nth weekday of the month"
    LAST_WEEKDAY = "last such weekday of the month"


@final
@dataclass(frozen=True, slots=True, order=True)
class DayRule:
    """One way for a day to match.

    Attributes:
        values: Days of the month, or days of the week with Sunday as 0; for NTH the weekday and its number
            in the month.
    """

    kind: Days
    values: tuple[int, ...] = ()

    def matches(self, day: date) -> bool:
        """Return True if the rule selects this day."""
        weekday = day.isoweekday() % 7
        last = calendar.monthrange(day.year, day.month)[1]
        tests = {
            Days.EVERY: True,
            Days.MONTH_DAYS: day.day in self.values,
            Days.LAST: day.day == last,
            Days.NEAREST: self.kind is Days.NEAREST and day.day == _nearest(day, self.values[0], last),
            Days.WEEKDAYS: weekday in self.values,
            Days.NTH: (weekday, (day.day + 6) // 7) == self.values,
            Days.LAST_WEEKDAY: weekday in self.values and day.day > last - 7,
        }
        return tests[self.kind]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """What an expression selects: these minutes, hours, months and years, on a day that one rule selects."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: tuple[int, ...]
    days: tuple[DayRule, ...]
    years: tuple[int, ...] | None = None

    @property
    def every_hour(self) -> bool:
        """True if it fires in each hour of each day of each year."""
        return (
            len(self.hours) == len(HOURS)
            and len(self.months) == len(MONTHS)
            and self.years is None
            and self.days == (DayRule(Days.EVERY),)
        )

    def on(self, day: date) -> bool:
        """Return True if it fires on this day."""
        if day.month not in self.months or (self.years is not None and day.year not in self.years):
            return False
        return any(rule.matches(day) for rule in self.days)


MINUTES = range(60)
HOURS = range(24)
MONTH_DAYS = range(1, 32)
MONTHS = range(1, 13)
WEEKDAYS = range(7)
SECONDS = range(60)
YEARS = range(1970, 2100)
_FIELDS = (MINUTES, HOURS, MONTH_DAYS, MONTHS, WEEKDAYS, SECONDS, YEARS)
_LENGTHS = (5, 6, 7)
_MONTH_NAMES = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
_WEEKDAY_NAMES = {
    name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))
}
_PRESETS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_SPACE = re.compile(r"[ \t\r\n\f\v]+")
_RANGE = re.compile(r"([^-/]+)(?:-([^-/]+))?(?:/(\d+))?\Z", re.ASCII)
_NTH = re.compile(r"(.+)#(\d)\Z", re.ASCII)
_LAST_WEEKDAY = re.compile(r"l(\d)\Z", re.ASCII)
_NEAREST = re.compile(r"(?:(\d+)w|w(\d+))\Z", re.ASCII)


@lru_cache(maxsize=1024)
def parse_cron(expression: str) -> Cron:
    """Return what the expression selects.

    Raises CronError if croniter would refuse it or if it has no fixed meaning.
    """
    text = expression.strip().lower()
    fields = _SPACE.split(_PRESETS.get(text, text))
    if len(fields) not in _LENGTHS:
        raise CronError(f"{len(fields)} fields where cron has five")
    seconds, years = _seconds_and_years(fields)
    if seconds != (0,):
        raise CronError("fires within the minute")
    return Cron(
        minutes=_values(fields[0], MINUTES),
        hours=_values(fields[1], HOURS),
        months=_values(fields[3], MONTHS, _MONTH_NAMES),
        days=_days(fields[2], fields[4]),
        years=years,
    )


def _seconds_and_years(fields: list[str]) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
    seconds = _values(fields[5], SECONDS) if len(fields) > 5 else (0,)
    years = _values(fields[6], YEARS) if len(fields) > 6 else tuple(YEARS)
    return seconds, None if len(years) == len(YEARS) else years


def _values(field: str, allowed: range, names: dict[str, int] | None = None) -> tuple[int, ...]:
    found: set[int] = set()
    for item in field.split(","):
        found.update(_item(item, allowed, names or {}))
    return tuple(sorted(found))


def _item(item: str, allowed: range, names: dict[str, int]) -> list[int]:
    first, last = allowed[0], allowed[-1]
    if item == "*":
        return list(allowed)
    match = _RANGE.match(item)
    if match is None:
        raise CronError(f"{item!r} is not a value, a range or a step")
    low_text, high_text, step_text = match.groups()
    step = int(step_text or 1)
    if step == 0:
        raise CronError(f"{item!r} has a step of 0")
    if low_text == "*":
        if high_text is not None:
            raise CronError(f"{item!r} is not a range")
        return list(range(first, last + 1, step))
    low = _number(low_text, allowed, names)
    if high_text is None:
        return list(range(low, last + 1, step)) if step_text else [low]
    return _span(low, _number(high_text, allowed, names), step, allowed)


def _number(text: str, allowed: range, names: dict[str, int]) -> int:
    if text in names:
        return names[text]
    if not (text.isascii() and text.isdigit()):
        raise CronError(f"{text!r} is not a number")
    number = int(text)
    if allowed is WEEKDAYS and number == 7:
        return 0
    if number not in allowed:
        raise CronError(f"{number} is not between {allowed[0]} and {allowed[-1]}")
    return number


def _span(low: int, high: int, step: int, allowed: range) -> list[int]:
    """Return the values from low to high; equal bounds mean the whole cycle, a falling range goes round."""
    first, last = allowed[0], allowed[-1]
    if low == high:
        return list(range(first, last + 1, step))
    if low < high:
        return list(range(low, high + 1, step))
    before = list(range(low, last + 1, step))
    left = last - before[-1]
    # croniter starts the part after the turn one value later than an even step would
    skip = step - left if left + 1 < step else 0
    return before + list(range(first + skip, high + 1, step))


def _days(month_days: str, weekdays: str) -> tuple[DayRule, ...]:
    by_date = _month_day_rules("*" if month_days == "?" else month_days)
    by_weekday = _weekday_rules("*" if weekdays == "?" else weekdays)
    every = (DayRule(Days.EVERY),)
    if any(rule.kind in {Days.NTH, Days.LAST_WEEKDAY} for rule in by_weekday):
        # croniter adds all the days of '#' to those that are days of the month as well
        return by_weekday
    if any(rule.kind is Days.NEAREST for rule in by_date) and by_weekday != every:
        raise CronError("'W' together with a day of the week has no fixed meaning")
    # to croniter a field with as many entries as there are values is '*', if the other one has a star in it
    entries = sum(len(rule.values) or 1 for rule in by_date)
    if by_date == every or ("*" in weekdays and entries == len(MONTH_DAYS)):
        rules = by_weekday
    elif by_weekday == every or ("*" in month_days and _covers(by_weekday)):
        rules = by_date
    else:
        rules = (*by_date, *by_weekday)
    return every if _covers(rules) else rules


def _covers(rules: tuple[DayRule, ...]) -> bool:
    """Return True if the rules of one field select each day."""
    sizes = {Days.EVERY: 0, Days.MONTH_DAYS: len(MONTH_DAYS), Days.WEEKDAYS: len(WEEKDAYS)}
    return any(rule.kind in sizes and len(rule.values) == sizes[rule.kind] for rule in rules)


def _month_day_rules(field: str) -> tuple[DayRule, ...]:
    items = field.split(",")
    if "*" in items:
        return (DayRule(Days.EVERY),)
    nearest = _NEAREST.match(field)
    if nearest:
        day = _number(nearest.group(1) or nearest.group(2), MONTH_DAYS, {})
        return (DayRule(Days.NEAREST, (day,)),)
    rules = []
    plain = [item.replace("-l", "-31") for item in items if item != "l"]
    if plain:
        values = _values(",".join(plain), MONTH_DAYS)
        rules.append(DayRule(Days.MONTH_DAYS, values))
    if "l" in items:
        rules.append(DayRule(Days.LAST))
    return tuple(rules)


def _weekday_rules(field: str) -> tuple[DayRule, ...]:
    rules: list[DayRule] = []
    plain: list[str] = []
    for item in field.split(","):
        nth, last = _NTH.match(item), _LAST_WEEKDAY.match(item)
        if nth:
            rules.extend(_nth_rules(nth.group(1), int(nth.group(2))))
        elif last:
            rules.append(DayRule(Days.LAST_WEEKDAY, (_number(last.group(1), WEEKDAYS, {}),)))
        else:
            plain.append(item)
    if rules and plain:
        raise CronError("'#' or 'L' is mixed with plain days of the week")
    if "*" in plain:
        return (DayRule(Days.EVERY),)
    if plain:
        rules.append(DayRule(Days.WEEKDAYS, _values(",".join(plain), WEEKDAYS, _WEEKDAY_NAMES)))
    return tuple(sorted(set(rules)))


def _nth_rules(weekdays: str, number: int) -> list[DayRule]:
    if number not in range(1, 6):
        raise CronError(f"'#{number}': a month has at most five of each weekday")
    return [DayRule(Days.NTH, (day, number)) for day in _values(weekdays, WEEKDAYS, _WEEKDAY_NAMES)]


def _nearest(day: date, wanted: int, last: int) -> int:
    """Return the weekday (Monday to Friday) of the month that is nearest to a day of it."""
    target = min(wanted, last)
    weekday = calendar.weekday(day.year, day.month, target)
    if weekday == 5:
        return target - 1 if target > 1 else target + 2
    if weekday == 6:
        return target + 1 if target < last else target - 2
    return target
