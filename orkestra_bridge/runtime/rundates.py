"""The dates of a run: logical date, data interval and run id, from the run document and the DAG's schedule.

Source: `airflow/timetables/interval.py`, `airflow/timetables/trigger.py`, `airflow/utils/types.py` (run ids). Airflow 2's
cron and delta timetables cover the interval before the tick; Airflow 3's triggers have the tick as date, start and end.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Any, NamedTuple, final

from orkestra_bridge.runtime.errors import RuntimeSetupError

if TYPE_CHECKING:
    from collections.abc import Mapping


@final
class Run(NamedTuple):
    """One run of the DAG; all moments are aware and in UTC.

    Attributes:
        run_type: ``manual``, ``scheduled``, ``backfill``, ``asset_triggered`` or ``dataset_triggered``.
        start, end: The data interval.
        run_after: When Airflow would start it.
        started: When the execution started.
        dated: False for a run that Airflow 3 gives neither a logical date nor an interval, since assets or the schedule
            of a partitioned DAG started it; the three moments are then the one of the event or the tick.
        asset_events: The events that started it, the oldest first, as `runtime.asset_events` makes them.
        partition_key, partition_date: The partition that it is about, and the moment at which that begins, if any.
    """

    run_id: str
    run_type: str
    logical_date: datetime
    start: datetime
    end: datetime
    run_after: datetime
    started: datetime
    conf: dict[str, Any]
    dated: bool = True
    asset_events: tuple[dict[str, Any], ...] = ()
    partition_key: str | None = None
    partition_date: datetime | None = None


def parse_moment(text: str) -> datetime:
    """Return the moment that an ISO 8601 text names, in UTC; without an offset it is read as UTC."""
    moment = datetime.fromisoformat(_normal(text))
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)


def _normal(text: str) -> str:
    # Python 3.10 knows neither the Z nor fractions of other than three or six digits.
    text = text.strip().replace("Z", "+00:00").replace("z", "+00:00")
    head, dot, rest = text.partition(".")
    if not dot:
        return text
    digits = len(rest) - len(rest.lstrip("0123456789"))
    return f"{head}.{rest[:digits][:6].ljust(6, '0')}{rest[digits:]}"


def resolve_run(
    document: Mapping[str, Any], execution: Mapping[str, Any], schedule: Mapping[str, Any], *, major: int
) -> Run:
    """Return the run of an execution.

    Args:
        document: The run document, all of it optional.
        execution: ``start_time`` of the execution, ISO 8601.
        schedule: The manifest's schedule.
        major: Airflow's major version; decides what the run id is made of.

    Raises:
        ValueError: For a date that is none, or a partition key that the DAG does not take.
    """
    started = (
        parse_moment(execution["start_time"]) if execution.get("start_time") else datetime.now(timezone.utc)
    )
    scheduled = document.get("scheduled_time")
    run_type = document.get("run_type") or ("scheduled" if scheduled else "manual")
    ticks = Ticks(schedule)
    events = tuple(document.get("asset_events") or ())
    if document.get("triggered_at"):
        logical = parse_moment(document["triggered_at"])
        start, end = _interval_of(events, logical)
    elif document.get("logical_date"):
        logical = parse_moment(document["logical_date"])
        start, end = ticks.from_logical_date(logical, manual=run_type == "manual")
    elif scheduled:
        start, end = ticks.ending_at(parse_moment(scheduled))
        logical = start
    else:
        logical = started
        start, end = ticks.from_logical_date(logical, manual=True)
    if document.get("data_interval"):
        start, end = (parse_moment(text) for text in document["data_interval"])
    moment = logical if major == 2 else end
    run = Run(
        run_id=document.get("run_id") or f"{run_type}__{moment.isoformat()}",
        run_type=run_type,
        logical_date=logical,
        start=start,
        end=end,
        run_after=end,
        started=started,
        conf=dict(document.get("conf") or {}),
        dated=major == 2 or not document.get("triggered_at"),
        asset_events=events,
    )
    if schedule.get("partitions") or document.get("partition_key"):
        from orkestra_bridge.runtime.partitions import placed

        return placed(run, document, schedule)
    return run


def _interval_of(events: tuple[dict[str, Any], ...], moment: datetime) -> tuple[datetime, datetime]:
    """Return from where to where the runs covered that made the events.

    Source: Airflow 2's `DatasetTriggeredTimetable.data_interval_for_events`.
    """
    covered = [event["data_interval"] for event in events if event.get("data_interval")]
    if not covered:
        return moment, moment
    return min(parse_moment(start) for start, _ in covered), max(parse_moment(end) for _, end in covered)


class Ticks:
    """The moments at which a schedule fires."""

    def __init__(self, schedule: Mapping[str, Any]) -> None:
        self.expressions = tuple(schedule.get("expressions") or ())
        self.seconds = schedule.get("seconds")
        self.kind = schedule.get("kind", "none")
        if self.kind == "asset":  # it may have a timetable beside its assets
            self.kind = "cron" if self.expressions else "delta" if self.seconds else "none"
        self.has_interval = bool(schedule.get("data_interval")) and self.kind in ("cron", "delta")
        self.zone = schedule.get("timezone") or "UTC"

    def ending_at(self, tick: datetime) -> tuple[datetime, datetime]:
        """Return the data interval of the run that a tick starts."""
        return (self.before(tick), tick) if self.has_interval else (tick, tick)

    def from_logical_date(self, logical: datetime, *, manual: bool) -> tuple[datetime, datetime]:
        """Return the data interval of a run with this logical date.

        A manual run covers the last complete interval before it, a scheduled one the interval that begins at its date.
        """
        if not self.has_interval:
            return logical, logical
        if not manual:
            return logical, self.after(logical)
        if self.kind == "delta":
            return self.before(logical), logical
        end = self._aligned(logical)
        return self.before(end), end

    def _aligned(self, moment: datetime) -> datetime:
        """Return the tick at or before a moment."""
        before = self.before(moment)
        return moment if self.after(before) == moment else before

    def before(self, moment: datetime) -> datetime:
        """Return the last tick before a moment, UTC."""
        return self._step(moment, forward=False)

    def after(self, moment: datetime) -> datetime:
        """Return the next tick after a moment, UTC."""
        return self._step(moment, forward=True)

    def _step(self, moment: datetime, *, forward: bool) -> datetime:
        if self.kind == "delta":
            if self.seconds is None:
                raise RuntimeSetupError(
                    "the schedule is no fixed period; its previous run cannot be computed"
                )
            return moment + timedelta(seconds=self.seconds if forward else -self.seconds)
        steps = [self._cron(expression, moment, forward) for expression in self.expressions]
        return min(steps) if forward else max(steps)

    def _cron(self, expression: str, moment: datetime, forward: bool) -> datetime:
        """Return the neighbouring tick of a cron in its zone (`airflow/timetables/_cron.py`).

        Expressions with fixed hours are read in wall-clock time; for the others the distance is kept, so that an
        hourly one also fires in the hour that a change to or from daylight saving time skips or repeats.
        """
        from zoneinfo import ZoneInfo

        from croniter import croniter

        zone = ZoneInfo(self.zone)
        local = moment.astimezone(zone).replace(tzinfo=None)
        cron = croniter(expression, local)
        tick: datetime = cron.get_next(datetime) if forward else cron.get_prev(datetime)
        if cron.expanded[1] == ["*"]:
            return moment + (tick - local)
        return in_zone(tick, zone)


def in_zone(tick: datetime, zone: tzinfo) -> datetime:
    """Return a wall-clock time in UTC: the second of two where it repeats, an hour later where it does not exist."""
    later = tick.replace(tzinfo=zone, fold=1).astimezone(timezone.utc)
    if later.astimezone(zone).replace(tzinfo=None) == tick:
        return later
    return tick.replace(tzinfo=zone).astimezone(timezone.utc)
