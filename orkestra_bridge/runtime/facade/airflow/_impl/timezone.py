"""`airflow.utils.timezone`: aware datetimes in UTC."""

from __future__ import annotations

import datetime as dt
from typing import Any

utc = dt.timezone.utc
TIMEZONE = utc


def utcnow() -> dt.datetime:
    """Return the present moment in UTC."""
    return dt.datetime.now(utc)


def is_localized(value: dt.datetime) -> bool:
    return value.utcoffset() is not None


def is_naive(value: dt.datetime) -> bool:
    return value.utcoffset() is None


def make_aware(value: dt.datetime | None, timezone: Any = None) -> Any:
    """Return a naive datetime as one of the zone, UTC by default; raises ValueError for an aware one.

    Of an hour that the clock shows twice it is the second, and one that it skips is an hour later.
    """
    if value is None:
        return None
    if is_localized(value):
        raise ValueError(f"make_aware expects a naive datetime, got {value}")
    zone = timezone or utc
    value = value.replace(fold=1)
    for name in ("localize", "convert"):  # of pytz and of pendulum
        method = getattr(zone, name, None)
        if method is not None:
            return method(value)
    return value.replace(tzinfo=zone)


def make_naive(value: dt.datetime, timezone: Any = None) -> dt.datetime:
    """Return the wall-clock time of the zone, UTC by default; raises ValueError for a naive datetime."""
    if is_naive(value):
        raise ValueError("make_naive() cannot be applied to a naive datetime")
    return value.astimezone(timezone or utc).replace(tzinfo=None)


def convert_to_utc(value: dt.datetime | None) -> Any:
    """Return the same moment in UTC; a naive datetime is read as UTC."""
    if value is None:
        return None
    return (make_aware(value) if is_naive(value) else value).astimezone(utc)


def coerce_datetime(value: Any, tz: Any = None) -> Any:
    """Return an aware datetime; None stays None and a string is parsed."""
    if value is None:
        return None
    if isinstance(value, str):
        value = parse(value)
    elif not isinstance(value, dt.datetime):
        value = dt.datetime(value.year, value.month, value.day, tzinfo=tz or utc)
    return make_aware(value, tz) if is_naive(value) else value


def datetime(*args: Any, **kwargs: Any) -> dt.datetime:
    """Return a datetime, in UTC if no tzinfo is given."""
    kwargs.setdefault("tzinfo", utc)
    return dt.datetime(*args, **kwargs)  # noqa: DTZ001


def parse(string: str, timezone: Any = None, *, strict: bool = False) -> Any:
    """Return the moment that a string names, in UTC where it names no zone."""
    import pendulum

    return pendulum.parse(string, tz=timezone or "UTC", strict=strict)


def parse_timezone(name: str | int) -> Any:
    """Return the zone of an IANA name, or of an offset in seconds."""
    import pendulum

    return pendulum.timezone(name)


def beginning_of_day() -> dt.datetime:
    return utcnow().replace(hour=0, minute=0, second=0, microsecond=0)


def td_format(td_object: dt.timedelta | float | None) -> str | None:
    """Return a duration as ``1d:2h:3M:4s``, None for nothing."""
    if not td_object:
        return None
    seconds = int(td_object.total_seconds()) if isinstance(td_object, dt.timedelta) else int(td_object)
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("M", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return ":".join(parts) or "<1s"


def from_timestamp(timestamp: float, tz: Any = utc) -> dt.datetime:
    return dt.datetime.fromtimestamp(timestamp, tz=tz)
