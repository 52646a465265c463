"""Operators that branch by the clock: the latest run only, the day of the week, the time of the day."""

from __future__ import annotations

import datetime as dt
from typing import Any

from airflow._impl import timezone
from airflow._impl.enums import WeekDay
from airflow._impl.exceptions import AirflowException
from airflow._impl.settings import SETTINGS
from airflow._impl.skipping import BaseBranchOperator


class LatestOnlyOperator(BaseBranchOperator):
    """Skips what comes directly after it, unless the run is the latest one of the schedule or a manual one."""

    ui_color = "#e9ffdb"

    def choose_branch(self, context: Any) -> Any:
        if self.is_latest(context["dag_run"], timezone.utcnow()):
            return list(self.downstream_task_ids)
        self.log.info("Not latest execution, skipping downstream.")
        return []

    def is_latest(self, dag_run: Any, now: dt.datetime) -> bool:
        """Return True if there is nothing to skip.

        Airflow 2 asks whether now is in the next data interval, Airflow 3 whether it is between the beginning of this
        one and the end of the next.
        """
        ticks = dag_run.ticks
        if dag_run.external_trigger or ticks.kind not in ("cron", "delta"):
            return True
        start, end = dag_run.data_interval_start, dag_run.data_interval_end
        following = ticks.after(end)
        left = start if SETTINGS.major > 2 else end if ticks.has_interval else following
        return bool(left < now <= following)


class BranchDayOfWeekOperator(BaseBranchOperator):
    """Follows one of two branches by the day of the week."""

    def __init__(
        self,
        *,
        follow_task_ids_if_true: Any,
        follow_task_ids_if_false: Any,
        week_day: Any,
        use_task_logical_date: bool = False,
        use_task_execution_day: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.follow_task_ids_if_true = follow_task_ids_if_true
        self.follow_task_ids_if_false = follow_task_ids_if_false
        self.week_day = week_day
        self.use_task_logical_date = use_task_logical_date or use_task_execution_day
        self._week_day_num = WeekDay.validate_week_day(week_day)

    def choose_branch(self, context: Any) -> Any:
        if self.use_task_logical_date:
            now = context["logical_date"]
        else:
            now = timezone.make_naive(timezone.utcnow(), self.dag.timezone)
        chosen = now.isoweekday() in self._week_day_num
        return self.follow_task_ids_if_true if chosen else self.follow_task_ids_if_false


class BranchDateTimeOperator(BaseBranchOperator):
    """Follows one of two branches by whether the time lies between two bounds."""

    def __init__(
        self,
        *,
        follow_task_ids_if_true: Any,
        follow_task_ids_if_false: Any,
        target_lower: dt.datetime | dt.time | None,
        target_upper: dt.datetime | dt.time | None,
        use_task_logical_date: bool = False,
        use_task_execution_date: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if target_lower is None and target_upper is None:
            raise AirflowException("Both target_upper and target_lower are None; one of them must be given")
        self.target_lower = target_lower
        self.target_upper = target_upper
        self.follow_task_ids_if_true = follow_task_ids_if_true
        self.follow_task_ids_if_false = follow_task_ids_if_false
        self.use_task_logical_date = use_task_logical_date or use_task_execution_date

    def choose_branch(self, context: Any) -> Any:
        now = context["logical_date"] if self.use_task_logical_date else timezone.utcnow()
        lower, upper = target_times_as_dates(now, self.target_lower, self.target_upper)
        lower = timezone.coerce_datetime(lower, self.dag.timezone)
        upper = timezone.coerce_datetime(upper, self.dag.timezone)
        outside = (upper is not None and upper < now) or (lower is not None and lower > now)
        return self.follow_task_ids_if_false if outside else self.follow_task_ids_if_true


def target_times_as_dates(base_date: dt.datetime, lower: Any, upper: Any) -> tuple[Any, Any]:
    """Return the bounds as datetimes, times of the day on the day of the base date; the upper one after the lower."""
    both_dates = isinstance(lower, dt.datetime) and isinstance(upper, dt.datetime)
    lower, upper = (
        dt.datetime.combine(base_date, bound) if isinstance(bound, dt.time) else bound
        for bound in (lower, upper)
    )
    if not both_dates and lower is not None and upper is not None and upper < lower:
        upper += dt.timedelta(days=1)
    return lower, upper
