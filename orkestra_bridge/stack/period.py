"""timedelta schedules -> EventBridge expressions.

Where Airflow counts the runs from depends on the version (`airflow.timetables.interval` and `.trigger`): with
catchup from start_date; without, Airflow 2 takes whole multiples since 1970 and Airflow 3 the moment the DAG
is switched on.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from math import gcd
from typing import TYPE_CHECKING

from orkestra_bridge.stack.cron import HOURS, MINUTES, MONTHS, Cron, DayRule, Days
from orkestra_bridge.stack.eventbridge import to_expressions
from orkestra_bridge.stack.model import Period, ScheduleView
from orkestra_bridge.stack.rules import COUNTED_FROM_DEPLOYMENT, SHORT_PERIOD, UNSUPPORTED_SCHEDULE
from orkestra_bridge.stack.zones import iso, moment_of

if TYPE_CHECKING:
    from orkestra_bridge.diagnostics import Finding, Rule
    from orkestra_bridge.ir.model import Workflow

_HOUR, _DAY = 60, 1440
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

_Result = tuple[ScheduleView, tuple["Finding", ...]]


def period_view(workflow: Workflow) -> _Result:
    """Return when AWS starts a DAG with a timedelta schedule; refused if that is not of whole minutes."""
    schedule = workflow.schedule
    view = ScheduleView(kind=schedule.kind, text=schedule.text)
    seconds = schedule.seconds
    if seconds is None:
        message = f"schedule {schedule.text}: a period whose length varies with the calendar"
        remedy = "write it as a cron expression, such as '0 0 1 * *' for each month"
        return view, (_say(workflow, UNSUPPORTED_SCHEDULE, message, remedy),)
    minutes = round(seconds / 60)
    if minutes < 1 or minutes * 60 != seconds:
        message = f"schedule {schedule.text}: EventBridge Scheduler works to the minute"
        return view, (_say(workflow, SHORT_PERIOD, message, "use a period of whole minutes"),)
    start, end = _bounds(workflow, timedelta(minutes=minutes))
    view = replace(view, start=start, end=end)
    anchor = _anchor(workflow)
    if anchor is None:
        return replace(view, expressions=(_rate(minutes),)), (_from_deployment(workflow),)
    return _anchored(view, minutes, anchor), ()


def _say(workflow: Workflow, rule: Rule, message: str, remedy: str) -> Finding:
    return rule.at(workflow.span, message, remedy, dag_id=workflow.dag_id, attribute="schedule")


def _from_deployment(workflow: Workflow) -> Finding:
    message = (
        f"schedule {workflow.schedule.text}: Airflow counts the period from the moment the DAG is switched on"
        " (or start_date, if that is to come), AWS from the creation of the schedule"
    )
    return _say(
        workflow, COUNTED_FROM_DEPLOYMENT, message, "use a cron expression if the time of day matters"
    )


def _anchor(workflow: Workflow) -> datetime | None:
    """Return a moment from which the runs are counted, None if that is the moment of the deployment."""
    if workflow.catchup and workflow.start_date:
        return moment_of(workflow.start_date)
    return _EPOCH if workflow.schedule.data_interval else None


def _bounds(workflow: Workflow, period: timedelta) -> tuple[str | None, str | None]:
    """Return the first and last moment for a run; one that covers an interval starts when that is over."""
    wait = period if workflow.schedule.data_interval else timedelta()
    start, end = (
        iso(moment_of(text) + wait) if text else None for text in (workflow.start_date, workflow.end_date)
    )
    return start, end


def _rate(minutes: int) -> str:
    unit, size = next((u, s) for u, s in (("day", _DAY), ("hour", _HOUR), ("minute", 1)) if minutes % s == 0)
    count = minutes // size
    return f"rate({count} {unit}{'' if count == 1 else 's'})"


def _anchored(view: ScheduleView, minutes: int, anchor: datetime) -> ScheduleView:
    """Return the view with a cron in UTC that fires at each multiple of the period, if need be more often."""
    minute, hour = anchor.minute, anchor.hour
    if minutes % _DAY == 0:
        cron, base = _daily((minute,), (hour,)), _DAY
    elif minutes % _HOUR == 0:
        step = gcd(minutes // _HOUR, len(HOURS))
        cron, base = _daily((minute,), tuple(range(hour % step, len(HOURS), step))), step * _HOUR
    else:
        base = gcd(minutes, _HOUR)
        cron = _daily(tuple(range(minute % base, len(MINUTES), base)), tuple(HOURS))
    period = None if base == minutes else Period(minutes=minutes, anchor=iso(anchor))
    return replace(view, expressions=to_expressions(cron), period=period)


def _daily(minutes: tuple[int, ...], hours: tuple[int, ...]) -> Cron:
    return Cron(minutes=minutes, hours=hours, months=tuple(MONTHS), days=(DayRule(Days.EVERY),))
