"""Airflow's schedule -> EventBridge Scheduler expressions, their time zone, the first and the last moment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orkestra_bridge.ir.model import AssetCondition, ScheduleKind
from orkestra_bridge.stack.asset_findings import about_assets
from orkestra_bridge.stack.cron import Cron, CronError, Days, parse_cron
from orkestra_bridge.stack.eventbridge import to_expressions
from orkestra_bridge.stack.model import ScheduleView
from orkestra_bridge.stack.period import period_view
from orkestra_bridge.stack.rules import (
    CATCHUP,
    CLOCK_CHANGE,
    NEVER_FIRES,
    NO_SCHEDULE,
    ONCE,
    OVERLAPPING_RUNS,
    PAUSED,
    UNKNOWN_ZONE,
    UNREADABLE_CRON,
    UNSUPPORTED_SCHEDULE,
)
from orkestra_bridge.stack.ticks import next_tick
from orkestra_bridge.stack.zones import (
    aws_zone,
    clock_changes,
    constant_minutes,
    hits,
    iso,
    local_time,
    to_utc,
)

if TYPE_CHECKING:
    from datetime import datetime

    from orkestra_bridge.diagnostics import Finding, Rule
    from orkestra_bridge.ir.model import Workflow

_SAFE_NEAREST = 28
"""``W`` beyond the last day of a month: croniter takes the last one, AWS does not say."""
_REMEDIES = {
    ScheduleKind.CONTINUOUS: "give the DAG a cron schedule with the shortest period that it needs",
    ScheduleKind.CUSTOM: "give the DAG one or more cron expressions in place of the timetable class",
}

_STATES = {False: "ScheduleState", True: "EventRulesState (and ScheduleState, if there is one)"}

_Result = tuple[ScheduleView, tuple["Finding", ...]]


def schedule_view(workflow: Workflow) -> _Result:
    """Return when AWS starts the DAG and what there is to know about it; no expressions if nothing starts it.

    Sources: `airflow.timetables` of the version that parsed the DAG; AWS: "Schedule types on EventBridge
    Scheduler".
    """
    kind = workflow.schedule.kind
    if kind is ScheduleKind.CRON:
        view, findings = _cron_view(workflow)
    elif kind is ScheduleKind.DELTA:
        view, findings = period_view(workflow)
    elif kind is ScheduleKind.ONCE:
        view, findings = _once_view(workflow)
    elif kind is ScheduleKind.ASSET:
        view, findings = _asset_view(workflow, workflow.schedule.assets or AssetCondition(kind="all"))
    elif kind is ScheduleKind.NONE:
        view, findings = _no_view(workflow)
    else:
        view, findings = _unsupported_view(workflow)
    more = _general(workflow, view)
    state = view.state if workflow.paused is not True else "DISABLED"
    view = replace(view, state=state, events=workflow.events, partitions=workflow.schedule.partitions)
    return view, (*findings, *more)


def _plain(workflow: Workflow) -> ScheduleView:
    return ScheduleView(kind=workflow.schedule.kind, text=workflow.schedule.text)


def _say(workflow: Workflow, rule: Rule, message: str, remedy: str, attribute: str = "schedule") -> Finding:
    return rule.at(workflow.span, message, remedy, dag_id=workflow.dag_id, attribute=attribute)


def _no_view(workflow: Workflow) -> _Result:
    if workflow.events:
        return _plain(workflow), ()
    message = (
        f"schedule={workflow.schedule.text}: the template has no schedule, runs are started by hand or by other "
        "services"
    )
    remedy = "start a run with StartExecution on the state machine, or give the DAG a schedule"
    if workflow.schedule.partitions:
        remedy = 'start a run with StartExecution and the input {"partition_key": ...}'
    return _plain(workflow), (_say(workflow, NO_SCHEDULE, message, remedy),)


def _asset_view(workflow: Workflow, condition: AssetCondition) -> _Result:
    """Return the view of a DAG that assets start, and a timetable beside them if it has one."""
    findings = list(about_assets(workflow, condition))
    if not condition.leaves:
        return _plain(workflow), tuple(findings)
    view = _plain(workflow)
    timed = workflow.schedule.expressions or workflow.schedule.seconds is not None
    if timed:
        kind = ScheduleKind.CRON if workflow.schedule.expressions else ScheduleKind.DELTA
        plain = replace(workflow, schedule=replace(workflow.schedule, kind=kind, assets=None))
        view, more = _cron_view(plain) if kind is ScheduleKind.CRON else period_view(plain)
        findings += more
    return replace(view, kind=ScheduleKind.ASSET, assets=condition), tuple(findings)


def _unsupported_view(workflow: Workflow) -> _Result:
    schedule = workflow.schedule
    message = f"schedule {schedule.text} ({schedule.kind.value}): EventBridge Scheduler starts runs at times that are "
    "fixed beforehand, and by nothing else"
    remedy = _REMEDIES[schedule.kind]
    return _plain(workflow), (_say(workflow, UNSUPPORTED_SCHEDULE, message, remedy),)


def _once_view(workflow: Workflow) -> _Result:
    when = f" ({workflow.start_date})" if workflow.start_date else ""
    message = f"@once: AWS refuses a moment that has passed, so start_date{when} is not in the template"
    remedy = "set the parameter RunOnceAt (a moment to come, UTC), or start the run with StartExecution"
    return _plain(workflow), (_say(workflow, ONCE, message, remedy),)


def _general(workflow: Workflow, view: ScheduleView) -> tuple[Finding, ...]:
    findings = []
    if workflow.catchup and workflow.start_date and view.expressions:
        message = (
            f"catchup: the runs between start_date ({workflow.start_date}) and the deployment are not started"
        )
        remedy = (
            "start those that are missing with StartExecution and the input"
            ' {"run_type": "backfill", "logical_date": ...}'
        )
        findings.append(_say(workflow, CATCHUP, message, remedy, "catchup"))
    if (view.expressions or view.assets) and any(
        item.name == "max_active_runs" for item in workflow.attributes
    ):
        message = (
            f"max_active_runs={workflow.max_active_runs}: a run starts when it is due, however many still run"
        )
        remedy = "make a period longer than the longest run, or the tasks safe to run side by side"
        findings.append(_say(workflow, OVERLAPPING_RUNS, message, remedy, "max_active_runs"))
    if workflow.paused is True and (workflow.events or workflow.schedule.kind is not ScheduleKind.NONE):
        made = "the rules on events are" if workflow.schedule.kind is ScheduleKind.NONE else "the schedule is"
        message = f"is_paused_upon_creation: {made} created DISABLED"
        findings.append(
            _say(
                workflow,
                PAUSED,
                message,
                f"set the parameter {_STATES[bool(workflow.events)]} to ENABLED",
                "is_paused_upon_creation",
            )
        )
    return tuple(findings)


def _cron_view(workflow: Workflow) -> _Result:
    schedule = workflow.schedule
    try:
        crons = [_read(expression) for expression in schedule.expressions]
    except CronError as error:
        remedy = "write it as a five-field cron expression, to the minute"
        return _plain(workflow), (_say(workflow, UNREADABLE_CRON, str(error), remedy),)
    zone = aws_zone(schedule.timezone)
    if zone is None:
        message = (
            f"time zone {schedule.timezone!r} is not a name of the IANA database, which is all that AWS knows"
        )
        remedy = "give the DAG's timezone by its IANA name, such as Asia/Kolkata"
        return _plain(workflow), (_say(workflow, UNKNOWN_ZONE, message, remedy),)
    (start, end), findings = _bounds(workflow, crons, zone)
    crons, zone, more = _clock_changes(workflow, crons, zone)
    expressions = tuple(dict.fromkeys(text for cron in crons for text in to_expressions(cron)))
    view = replace(_plain(workflow), expressions=expressions, timezone=zone, start=start, end=end)
    return view, (*findings, *more)


def _read(expression: str) -> Cron:
    try:
        cron = parse_cron(expression)
    except CronError as error:
        raise CronError(f"cron {expression!r}: {error}") from error
    if any(rule.kind is Days.NEAREST and rule.values[0] > _SAFE_NEAREST for rule in cron.days):
        raise CronError(f"cron {expression!r}: 'W' with a day that some months do not have")
    return cron


def _bounds(
    workflow: Workflow, crons: list[Cron], zone: str
) -> tuple[tuple[str | None, str | None], tuple[Finding, ...]]:
    """Return the first and the last moment for a run, as far as the DAG says; a finding if there is none."""
    point = not workflow.schedule.data_interval
    starts = [_first_run(cron, workflow.start_date, zone, point=point) for cron in crons]
    ends = [_last_run(cron, workflow.end_date, zone, point=point) for cron in crons]
    start = min((moment for moment in starts if moment), default=None)
    end = max((moment for moment in ends if moment), default=None)
    findings: tuple[Finding, ...] = ()
    if (workflow.start_date and start is None) or (start and end and end < start):
        message = f"{workflow.schedule.text!r} has no run between start_date and end_date"
        findings = (_say(workflow, NEVER_FIRES, message, "correct the schedule, start_date or end_date"),)
    return (start, end), findings


def _first_run(cron: Cron, start: str | None, zone: str, *, point: bool) -> str | None:
    """Return when the first run starts: at the first tick, the second if a run covers the time between."""
    if start is None:
        return None
    tick = next_tick(cron, local_time(start, zone), including=True)
    if tick is not None and not point:
        tick = next_tick(cron, tick)
    return None if tick is None else iso(to_utc(tick, zone))


def _last_run(cron: Cron, end: str | None, zone: str, *, point: bool) -> str | None:
    """Return the last moment for a run: no logical date (for an interval its begin) is after end_date."""
    if end is None:
        return None
    local = local_time(end, zone)
    tick = local if point else next_tick(cron, local)
    return iso(to_utc(local if tick is None else tick, zone))


def _clock_changes(
    workflow: Workflow, crons: list[Cron], zone: str
) -> tuple[list[Cron], str, tuple[Finding, ...]]:
    """Return crons and a zone that fire as Airflow does when clocks change, a finding where none can."""
    changes = clock_changes(zone)
    if not changes:
        return crons, zone, ()
    ahead = constant_minutes(zone)
    if ahead is not None and all(cron.every_hour for cron in crons):
        return [_shifted(cron, -ahead) for cron in crons], "UTC", ()
    struck = [(hits(cron, change), change) for change in changes for cron in crons]
    moments = {change.forward: moment for moment, change in reversed(struck) if moment is not None}
    if not moments:
        return crons, zone, ()
    return crons, zone, (_clock_finding(workflow, zone, moments),)


def _shifted(cron: Cron, minutes: int) -> Cron:
    return replace(cron, minutes=tuple(sorted((minute + minutes) % 60 for minute in cron.minutes)))


def _clock_finding(workflow: Workflow, zone: str, moments: dict[bool, datetime]) -> Finding:
    parts = []
    if True in moments:
        shown = moments[True].strftime("%H:%M on %Y-%m-%d")
        parts.append(f"{shown} does not exist: Airflow runs as much later, AWS skips that run")
    if False in moments:
        shown = moments[False].strftime("%H:%M on %Y-%m-%d")
        parts.append(
            f"{shown} comes twice: Airflow runs at the second, AWS once, at a time it does not document"
        )
    message = f"on the days clocks change in {zone}: {'; '.join(parts)}"
    remedy = "choose hours outside of the change, or a schedule in UTC, if that run matters"
    return _say(workflow, CLOCK_CHANGE, message, remedy)
