"""EventBridge expressions fire exactly when Airflow's cron library does: croniter against our own evaluator.

All times are local times without a zone.
"""

# ruff: noqa: DTZ001

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta

import pytest
from croniter import CroniterBadDateError, CroniterError, croniter
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orkestra_bridge.stack.check import expression_fault
from orkestra_bridge.stack.cron import CronError, parse_cron
from orkestra_bridge.stack.eventbridge import to_expressions

COMPARED = 8
HORIZON = timedelta(days=3000)
DAY = timedelta(days=1)
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
MONTHS = tuple("jan feb mar apr may jun jul aug sep oct nov dec".split())


class Expression:
    """What EventBridge Scheduler's user guide says about ``cron(...)``, without the product's code."""

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


def compare(cron: str, start: datetime) -> None:
    expressions = to_expressions(parse_cron(cron))
    for expression in expressions:
        assert expression_fault(expression) is None
    clock = croniter(cron, start)
    expected = [clock.get_next(datetime) for _ in range(COMPARED)]
    until = min(expected[-1], start + HORIZON)
    found = set[datetime]().union(*(Expression(text).between(start, until) for text in expressions))
    assert sorted(found) == [moment for moment in expected if moment <= until], expressions


@pytest.mark.parametrize(
    ("cron", "expressions"),
    [
        ("0 5 * * *", ["cron(0 5 * * ? *)"]),
        ("*/15 * * * *", ["cron(0/15 * * * ? *)"]),
        ("30 2 * * 1-5", ["cron(30 2 ? * MON-FRI *)"]),
        ("30 2 * * 5-7", ["cron(30 2 ? * SUN,FRI,SAT *)"]),
        ("0 0 * * 0", ["cron(0 0 ? * SUN *)"]),
        ("0 0 * * 7", ["cron(0 0 ? * SUN *)"]),
        ("0 0 * * sun", ["cron(0 0 ? * SUN *)"]),
        ("0 0 * * 0-7", ["cron(0 0 * * ? *)"]),
        ("0 0 * * 1,3,5", ["cron(0 0 ? * MON,WED,FRI *)"]),
        ("0 0 1,15 * *", ["cron(0 0 1,15 * ? *)"]),
        ("0 0 L * *", ["cron(0 0 L * ? *)"]),
        ("0 0 15,L * *", ["cron(0 0 15 * ? *)", "cron(0 0 L * ? *)"]),
        ("0 0 * * 5#2", ["cron(0 0 ? * 6#2 *)"]),
        ("0 0 * * MON#1,MON#3", ["cron(0 0 ? * 2#1 *)", "cron(0 0 ? * 2#3 *)"]),
        ("0 0 * * L5", ["cron(0 0 ? * 6L *)"]),
        ("0 0 13 * 5", ["cron(0 0 13 * ? *)", "cron(0 0 ? * FRI *)"]),
        ("0 0 1-31 * 1", ["cron(0 0 * * ? *)"]),
        ("0 0 1 jan,apr-jun *", ["cron(0 0 1 1,4-6 ? *)"]),
        ("0 0 15W * *", ["cron(0 0 15W * ? *)"]),
        ("5,35 8-18/2 * * *", ["cron(5,35 8,10,12,14,16,18 * * ? *)"]),
        ("0 0 1 1 * 0 2027-2029", ["cron(0 0 1 1 ? 2027-2029)"]),
        ("@weekly", ["cron(0 0 ? * SUN *)"]),
        ("@quarterly", ["cron(0 0 1 1/3 ? *)"]),
        ("0 0 ? * 1", ["cron(0 0 ? * MON *)"]),
    ],
)
def test_known_translations(cron: str, expressions: list[str]) -> None:
    assert list(to_expressions(parse_cron(cron))) == expressions
    if not cron.startswith("@") and len(cron.split()) == 5:
        compare(cron, datetime(2026, 1, 31, 12, 7))


@pytest.mark.parametrize(
    "cron",
    ["0 5 * *", "61 * * * *", "0 0 0 * *", "* * * 13 *", "* * * * 8", "*/0 * * * *", "0 0 * * 1#6",
     "0 0 * * 1,2#3", "a b c d e", "", "0 0 32W * *", "0 0 * foo *", "0 -1 * * *", "? 0 * * *"],
)  # fmt: skip
def test_what_croniter_refuses_is_refused(cron: str) -> None:
    with pytest.raises(CroniterError):
        croniter(cron)
    with pytest.raises(CronError):
        parse_cron(cron)


@pytest.mark.parametrize("cron", ["0 0 15W * 1", "0 0 * * * 30", "h * * * *", "r * * * *"])
def test_what_has_no_fixed_meaning_to_the_minute_is_refused(cron: str) -> None:
    with pytest.raises(CronError):
        parse_cron(cron)


def numbers(first: int, last: int, names: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    plain = st.integers(first, last).map(str)
    return plain | st.sampled_from(names) if names else plain


def fields(first: int, last: int, names: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    number = numbers(first, last, names)
    steps = st.integers(1, last + 2)
    item = st.one_of(
        number,
        st.builds("{}-{}".format, number, number),
        st.builds("{}-{}/{}".format, number, number, steps),
        st.builds("{}/{}".format, number, steps),
        st.builds("*/{}".format, steps),
    )
    return st.one_of(st.just("*"), number, st.lists(item, min_size=1, max_size=3).map(",".join))


NTHS = st.builds("{}#{}".format, numbers(0, 7, tuple(name.lower() for name in WEEKDAYS)), st.integers(1, 5))
LAST_WEEKDAYS = st.builds("L{}".format, st.integers(0, 7))
MONTH_DAYS = st.one_of(
    st.just("*"),
    fields(1, 31),
    st.just("L"),
    fields(1, 31).map("{},L".format),
    st.integers(1, 28).map("{}-L".format),
)
DAYS_OF_WEEK = st.one_of(
    st.just("*"),
    fields(0, 7, WEEKDAYS),
    st.lists(NTHS | LAST_WEEKDAYS, min_size=1, max_size=3).map(",".join),
)


CRONS = st.tuples(fields(0, 59), fields(0, 23), MONTH_DAYS, fields(1, 12, MONTHS), DAYS_OF_WEEK).map(" ".join)
STARTS = st.datetimes(datetime(2024, 1, 1), datetime(2032, 1, 1)).map(
    lambda moment: moment.replace(second=0, microsecond=0)
)


@settings(max_examples=400, deadline=None)
@given(cron=CRONS, start=STARTS)
def test_any_cron_fires_at_the_same_times(cron: str, start: datetime) -> None:
    try:
        croniter(cron, start).get_next(datetime)
    except CroniterBadDateError:
        assume(condition=False)
    except CroniterError:
        with pytest.raises(CronError):
            parse_cron(cron)
        return
    compare(cron, start)


@settings(max_examples=50, deadline=None)
@given(day=st.integers(1, 28), month=fields(1, 12), start=STARTS)
def test_the_weekday_nearest_to_a_day(day: int, month: str, start: datetime) -> None:
    compare(f"15 6 {day}W {month} *", start)


def test_an_expression_beyond_the_limit_is_split_without_loss() -> None:
    minutes = ",".join(str(minute) for minute in range(60) if minute % 3 and minute != 31)
    hours = ",".join(str(hour) for hour in range(24) if hour % 3)
    days = ",".join(str(day) for day in range(1, 32) if day % 3)
    cron = f"{minutes} {hours} {days} 1,2,4,5,7,8,10,11 *"
    expressions = to_expressions(parse_cron(f"{cron} 0 2026-2030,2032,2034,2036"))
    assert len(expressions) > 1
    assert all(len(text) <= 256 for text in expressions)
    moments = [Expression(text).between(datetime(2026, 1, 1), datetime(2026, 1, 9)) for text in expressions]
    assert not set.intersection(*moments)
    compare(cron, datetime(2026, 1, 1))
