"""Timetables as data: the runtime reads the manifest's schedule, a DAG file only has to be able to name them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple


class Timetable:
    """Base of the user's own timetables."""

    description = ""
    periodic = True
    can_be_scheduled = True
    run_ordering: Any = ("data_interval_end", "execution_date")
    active_runs_limit: int | None = None
    asset_condition: Any = None

    @property
    def summary(self) -> str:
        return type(self).__name__


class _CronTimetable(Timetable):
    def __init__(self, cron: str, timezone: Any = "UTC", **options: Any) -> None:
        self.expression = self._expression = cron
        self.timezone = self._timezone = timezone
        for name, value in options.items():
            setattr(self, name, value)


class CronTriggerTimetable(_CronTimetable):
    """A run at every tick, whose dates are the tick."""

    def __init__(
        self, cron: str, *, timezone: Any = "UTC", interval: Any = timedelta(), **options: Any
    ) -> None:
        super().__init__(cron, timezone, interval=interval, **options)


class CronDataIntervalTimetable(_CronTimetable):
    """A run at every tick, which covers the time since the tick before."""


class MultipleCronTriggerTimetable(Timetable):
    """A run at every tick of several crons."""

    def __init__(self, *crons: str, timezone: Any = "UTC", **options: Any) -> None:
        self.expressions = crons
        self.timezone = timezone
        self.options = options


class DeltaTriggerTimetable(Timetable):
    """A run every period, whose dates are the tick."""

    def __init__(self, delta: Any, *, interval: Any = timedelta()) -> None:
        self.delta = self._delta = delta
        self.interval = interval


class DeltaDataIntervalTimetable(Timetable):
    """A run every period, which covers the period."""

    def __init__(self, delta: Any) -> None:
        self.delta = self._delta = delta


class NullTimetable(Timetable):
    """No schedule."""

    can_be_scheduled = False
    periodic = False


class OnceTimetable(Timetable):
    """One run."""

    periodic = False


class ContinuousTimetable(Timetable):
    """The next run as soon as one has ended."""

    active_runs_limit = 1


class EventsTimetable(Timetable):
    """A run at each of some dates."""

    def __init__(
        self,
        event_dates: Any,
        restrict_to_events: bool = False,
        description: str | None = None,
        **_options: Any,
    ) -> None:
        self.event_dates = list(event_dates)
        self.restrict_to_events = restrict_to_events
        self.description = description or ""


class AssetOrTimeSchedule(Timetable):
    """A schedule of another timetable, or of assets."""

    def __init__(self, *, timetable: Any, assets: Any = None, datasets: Any = None) -> None:
        self.timetable = timetable
        self.assets = assets if datasets is None else datasets


class DataInterval(NamedTuple):
    """The time that a run covers."""

    start: Any
    end: Any

    @classmethod
    def exact(cls, at: Any) -> DataInterval:
        return cls(start=at, end=at)


class TimeRestriction(NamedTuple):
    """Between which moments a DAG may run."""

    earliest: Any
    latest: Any
    catchup: bool


class DagRunInfo(NamedTuple):
    """When a run starts and what it covers."""

    run_after: Any
    data_interval: DataInterval

    @classmethod
    def exact(cls, at: Any) -> DagRunInfo:
        return cls(run_after=at, data_interval=DataInterval.exact(at))

    @classmethod
    def interval(cls, start: Any, end: Any) -> DagRunInfo:
        return cls(run_after=end, data_interval=DataInterval(start, end))

    @property
    def logical_date(self) -> Any:
        return self.data_interval.start
