"""EventBridge expressions fire exactly when Airflow's cron library does: croniter against our own evaluator.

All times are local times without a zone.
"""

# ruff: noqa: DTZ001

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from croniter import CroniterBadDateError, CroniterError, croniter
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scheduler_clock import WEEKDAYS, Expression

from orkestra_bridge.stack.check import expression_fault
from orkestra_bridge.stack.cron import CronError, parse_cron
from orkestra_bridge.stack.eventbridge import to_expressions

COMPARED = 8
HORIZON = timedelta(days=3000)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


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


@settings(max_examples=400)
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


@settings(max_examples=50)
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
