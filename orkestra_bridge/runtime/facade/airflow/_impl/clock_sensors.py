"""Sensors that wait for a moment: they know when it comes, so they look twice at most."""

from __future__ import annotations

import datetime as dt
from typing import Any

from airflow._impl import timezone
from airflow._impl.enums import WeekDay
from airflow._impl.sensor import BaseSensorOperator

# A poke asks whether it is later than the moment.
JUST_AFTER = dt.timedelta(milliseconds=1)


class MomentSensor(BaseSensorOperator):
    """Waits until a moment that subclasses work out."""

    def __init__(
        self,
        *,
        deferrable: bool = False,
        start_from_trigger: bool = False,
        end_from_trigger: bool = False,
        trigger_kwargs: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deferrable = False
        self.start_from_trigger = False
        self.end_from_trigger = end_from_trigger

    def moment(self, context: Any) -> dt.datetime:
        """Return the moment to wait for, with a time zone."""
        raise NotImplementedError

    def ready_at(self, context: Any) -> dt.datetime | None:
        return self.moment(context) + JUST_AFTER

    def poke(self, context: Any) -> bool:
        moment = self.moment(context)
        self.log.info("Checking if the time (%s) has come", moment)
        return bool(context["ti"].poking.now() > moment)

    def execute_complete(self, context: Any, event: Any = None) -> None:
        """Do nothing: nothing is deferred here."""


class DateTimeSensor(MomentSensor):
    """Waits until a date and time, which may be a template."""

    template_fields: Any = ("target_time",)

    def __init__(self, *, target_time: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_time = target_time

    def moment(self, context: Any) -> dt.datetime:
        target = self.target_time
        if isinstance(target, dt.datetime):
            target = target.isoformat()
        if not isinstance(target, str):
            raise TypeError(f"Expected str or datetime.datetime type for target_time. Got {type(target)}")
        found: dt.datetime = timezone.parse(target)
        return found


class DateTimeSensorAsync(DateTimeSensor):
    """The same: waiting costs nothing in either way."""


class TimeSensor(MomentSensor):
    """Waits until a time of the day on which the task starts, in the DAG's zone."""

    def __init__(self, *, target_time: dt.time, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_time = target_time

    def moment(self, context: Any) -> dt.datetime:
        day = context["ti"].poking.try_since.astimezone(self.dag.timezone)
        local = dt.datetime.combine(day, self.target_time, tzinfo=self.dag.timezone)
        found: dt.datetime = timezone.convert_to_utc(local)
        return found


class TimeSensorAsync(TimeSensor):
    """The same: waiting costs nothing in either way."""


class TimeDeltaSensor(MomentSensor):
    """Waits until some time after the end of the run's data interval."""

    template_fields: Any = ("delta",)

    def __init__(self, *, delta: Any, deferrable: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.delta = delta
        self._would_defer = deferrable

    def moment(self, context: Any) -> dt.datetime:
        base: dt.datetime = context.get("data_interval_end") or context["dag_run"].run_after
        return base + _minutes(self.delta)

    def execute(self, context: Any) -> Any:
        """Wait; return True where Airflow, asked to defer, has found that there is nothing to wait for."""
        found = super().execute(context)
        at_once = self._would_defer and context["ti"].poking.try_since > self.moment(context)
        return True if at_once else found


class TimeDeltaSensorAsync(TimeDeltaSensor):
    """The same: waiting costs nothing in either way."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "deferrable": True})


class WaitSensor(MomentSensor):
    """Waits for some time from its own start."""

    template_fields: Any = ("time_to_wait",)

    def __init__(self, *, time_to_wait: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.time_to_wait = time_to_wait

    def moment(self, context: Any) -> dt.datetime:
        since: dt.datetime = context["ti"].poking.try_since
        return since + _minutes(self.time_to_wait)


def _minutes(value: Any) -> dt.timedelta:
    """Return a duration; a number, or a text that a template gave, means minutes."""
    return value if isinstance(value, dt.timedelta) else dt.timedelta(minutes=int(value))


class DayOfWeekSensor(BaseSensorOperator):
    """Waits for a day of the week."""

    def __init__(
        self,
        *,
        week_day: Any,
        use_task_logical_date: bool = False,
        use_task_execution_day: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.week_day = week_day
        self.use_task_logical_date = use_task_logical_date or use_task_execution_day
        self._week_day_num = WeekDay.validate_week_day(week_day)

    def poke(self, context: Any) -> bool:
        now = context["logical_date"] if self.use_task_logical_date else context["ti"].poking.now()
        self.log.info("Poking until weekday is in %s", self.week_day)
        return now.isoweekday() in self._week_day_num
