"""Windows of partitions and the policies of waiting for them.

Source: `airflow/partition_mappers/window.py` and `wait_policy.py` (3.3).
"""

from __future__ import annotations

import datetime as dt
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def _first_of_month(moment: dt.datetime, owner: object) -> None:
    """Raise ValueError for another day: months are counted from their first."""
    if moment.day != 1:
        raise ValueError(
            f"{type(owner).__name__} begins on the first of a month, not at {moment.isoformat()}; "
            "decode_downstream of its mapper has to give that day"
        )


def _months_later(moment: dt.datetime, months: int) -> dt.datetime:
    years, month = divmod(moment.month - 1 + months, 12)
    return moment.replace(year=moment.year + years, month=month + 1)


class Window:
    """The partitions that make up a longer one, as a mapper decodes them."""

    class Direction(str, Enum):
        """Whether a window ends or begins at a key."""

        BACKWARD = "backward"
        FORWARD = "forward"

    expected_decoded_type: type = str

    def __init__(self, *, direction: Any = Direction.FORWARD) -> None:
        self.direction = self.Direction(direction)

    def to_upstream(self, decoded_downstream: Any) -> Iterable[Any]:
        """Return what makes up the partition."""
        raise NotImplementedError

    def _steps(
        self, start: dt.datetime, count: int, step: Callable[[dt.datetime, int], dt.datetime]
    ) -> list[dt.datetime]:
        """Return moments from the start on, or as many that end with it."""
        backward = self.direction is Window.Direction.BACKWARD
        first = step(start, 1 - count) if backward else start
        return [step(first, number) for number in range(count)]


def _every(**unit: int) -> Callable[[dt.datetime, int], dt.datetime]:
    length = dt.timedelta(**unit)
    return lambda moment, count: moment + length * count


class _Times(Window):
    expected_decoded_type = dt.datetime


class HourWindow(_Times):
    """The minutes of an hour."""

    def to_upstream(self, decoded_downstream: Any) -> Iterable[Any]:
        return self._steps(decoded_downstream, 60, _every(minutes=1))


class DayWindow(_Times):
    """The hours of a day, which are always 24."""

    def to_upstream(self, decoded_downstream: Any) -> Iterable[Any]:
        return self._steps(decoded_downstream, 24, _every(hours=1))


class WeekWindow(_Times):
    """The days of a week."""

    def to_upstream(self, decoded_downstream: Any) -> Iterable[Any]:
        return self._steps(decoded_downstream, 7, _every(days=1))


class MonthWindow(_Times):
    """The days of a month; backward, the days after the first of the month before, up to this one."""

    def to_upstream(self, decoded_downstream: Any) -> Iterable[Any]:
        _first_of_month(decoded_downstream, self)
        backward = self.direction is Window.Direction.BACKWARD
        first, after = decoded_downstream, _months_later(decoded_downstream, 1)
        if backward:
            first, after = _months_later(decoded_downstream, -1), decoded_downstream
        days = (after - first).days
        return [first + dt.timedelta(days=day + backward) for day in range(days)]


class QuarterWindow(_Times):
    """The months of a quarter."""

    def to_upstream(self, decoded_downstream: Any) -> Iterable[Any]:
        _first_of_month(decoded_downstream, self)
        return self._steps(decoded_downstream, 3, _months_later)


class YearWindow(_Times):
    """The months of a year."""

    def to_upstream(self, decoded_downstream: Any) -> Iterable[Any]:
        _first_of_month(decoded_downstream, self)
        return self._steps(decoded_downstream, 12, _months_later)


class SegmentWindow(Window):
    """A fixed set of keys, whatever the partition is."""

    def __init__(self, segments: Iterable[str]) -> None:
        super().__init__()
        self.segments = frozenset(segments)
        if not self.segments or not all(isinstance(each, str) and each for each in self.segments):
            raise ValueError("SegmentWindow needs one key or more, each of them text that is not empty")

    def to_upstream(self, decoded_downstream: Any) -> Iterable[Any]:
        return self.segments


class PartitionSatisfaction(NamedTuple):
    """What a policy says about the keys that have arrived."""

    satisfied: bool
    unreachable: bool
    unreachable_reason: str | None


class WaitPolicy:
    """When a run starts, of which some of the expected keys have arrived."""

    def needed(self, expected: int) -> int:
        """Return how many of the expected keys there have to be."""
        raise NotImplementedError

    def is_satisfied(self, matched: int, expected: int) -> bool:
        return matched >= self.needed(expected)

    def is_unreachable(self, expected: int) -> bool:
        """Return True if there are never enough."""
        return self.needed(expected) > expected

    def is_satisfied_by_keys(self, *, matched: Any, expected: Any) -> PartitionSatisfaction:
        """Return whether these keys are enough, and why they never can be."""
        unreachable = self.is_unreachable(len(expected))
        why = f"{self!r} is never satisfied by {len(expected)} partitions" if unreachable else None
        return PartitionSatisfaction(
            self.is_satisfied(len(matched & expected), len(expected)), unreachable, why
        )


class WaitForAll(WaitPolicy):
    """All of them."""

    def __repr__(self) -> str:
        return "WaitForAll()"

    def needed(self, expected: int) -> int:
        return expected


class MinimumCount(WaitPolicy):
    """So many of them, or all but so many for a negative number."""

    def __init__(self, n: int) -> None:
        if n == 0:
            raise ValueError(
                "MinimumCount(0) would not wait for anything; use WaitForAll() or another number"
            )
        self.n = n

    def __repr__(self) -> str:
        return f"MinimumCount(n={self.n})"

    def needed(self, expected: int) -> int:
        return self.n if self.n > 0 else max(0, expected + self.n)
