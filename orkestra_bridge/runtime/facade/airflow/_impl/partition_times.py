"""Partition mappers for keys that are times.

Source: `airflow/partition_mappers/temporal.py` (3.3).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow._impl.partitions import PartitionMapper
from airflow._impl.timezone import parse_timezone

if TYPE_CHECKING:
    from collections.abc import Iterable

_USUAL = "%Y-%m-%dT%H:%M:%S"
_PATTERNS = {"Y": r"\d{4}", **dict.fromkeys("mdHMSVUW", r"\d{2}")}
_PIECES = re.compile(r"%([YmdHMSVUW])|\{([^}]*)\}|(.)", re.DOTALL)


def _aware(naive: datetime, zone: Any) -> datetime:
    """Return a wall-clock time of a zone: the second of two, and a later one where there is none (`make_aware`)."""
    if naive.tzinfo is not None:
        raise ValueError(f"{naive} has a time zone already")
    naive = naive.replace(fold=1)
    convert = getattr(zone, "localize", None) or getattr(zone, "convert", None)
    found: datetime = convert(naive) if convert else naive.replace(tzinfo=zone)
    return found


def _reading(form: str, **known: str) -> re.Pattern[str]:
    """Return the pattern that reads keys of a format, with a group for each of its parts.

    Raises ValueError: keys of the format cannot be read.
    """
    parts, names = [], set()
    open_ended = False
    for directive, placeholder, plain in _PIECES.findall(form):
        name = directive or placeholder
        if plain:
            parts.append(re.escape(plain))
            open_ended = False
            continue
        if not name.isidentifier() or name in names:
            raise ValueError(f"output_format {form!r}: {name!r} is no name, or there more than once")
        free = not directive and name not in known
        if free and open_ended:
            raise ValueError(f"output_format {form!r}: nothing is between {{{name}}} and what is before it")
        pattern = _PATTERNS[name] if directive else known.get(name, r"\w+")
        parts.append(f"(?P<{name}>{pattern})")
        names.add(name)
        open_ended = free
    return re.compile(f"^{''.join(parts)}$")


class _TemporalMapper(PartitionMapper):
    """Maps times to the beginning of what they are in."""

    expected_decoded_type = datetime
    default_output_format: str

    def __init__(
        self,
        *,
        timezone: Any = "UTC",
        input_format: str = _USUAL,
        output_format: str | None = None,
        max_downstream_keys: int | None = None,
    ) -> None:
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.input_format = input_format
        self.output_format = output_format or self.default_output_format
        self._timezone = parse_timezone(timezone) if isinstance(timezone, str) else timezone

    def to_downstream(self, key: str) -> str:
        moment = datetime.strptime(key, self.input_format)  # noqa: DTZ007 - the zone follows
        here = _aware(moment, self._timezone) if moment.tzinfo is None else moment.astimezone(self._timezone)
        return self.format(self.normalize(here))

    def normalize(self, dt: datetime) -> datetime:
        """Return the beginning of what a moment is in."""
        raise NotImplementedError

    def format(self, dt: datetime) -> str:
        """Return the key of a beginning."""
        return dt.strftime(self.output_format)

    def decode_downstream(self, downstream_key: str) -> datetime:
        return datetime.strptime(downstream_key, self.output_format)  # noqa: DTZ007 - as Airflow does

    def to_partition_date(self, downstream_key: str) -> datetime | None:
        moment = self.normalize(self.decode_downstream(downstream_key))
        return _aware(moment, self._timezone) if moment.tzinfo is None else moment

    def encode_upstream(self, decoded: datetime) -> str:
        if decoded.tzinfo is not None:
            decoded = decoded.astimezone(self._timezone).replace(tzinfo=None)
        return _aware(decoded, self._timezone).strftime(self.input_format)


class StartOfHourMapper(_TemporalMapper):
    """The hour of a key."""

    default_output_format = "%Y-%m-%dT%H"

    def normalize(self, dt: datetime) -> datetime:
        return dt.replace(minute=0, second=0, microsecond=0)


class _DayMapper(_TemporalMapper):
    def normalize(self, dt: datetime) -> datetime:
        return dt.replace(hour=0, minute=0, second=0, microsecond=0)


class StartOfDayMapper(_DayMapper):
    """The day of a key."""

    default_output_format = "%Y-%m-%d"


class StartOfWeekMapper(_DayMapper):
    """The Monday before a key."""

    default_output_format = "%Y-%m-%d (W%V)"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._key_pattern = _reading(self.output_format)

    def normalize(self, dt: datetime) -> datetime:
        return super().normalize(dt - timedelta(days=dt.weekday()))

    def decode_downstream(self, downstream_key: str) -> datetime:
        found = _read(self._key_pattern, downstream_key, ("Y", "m", "d"))
        return datetime(*found)  # noqa: DTZ001 - as Airflow does


class StartOfMonthMapper(_DayMapper):
    """The month of a key."""

    default_output_format = "%Y-%m"

    def normalize(self, dt: datetime) -> datetime:
        return super().normalize(dt).replace(day=1)


class StartOfQuarterMapper(_DayMapper):
    """The quarter of a key."""

    default_output_format = "%Y-Q{quarter}"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._key_pattern = _reading(self.output_format, quarter="[1-4]")

    def normalize(self, dt: datetime) -> datetime:
        return super().normalize(dt).replace(month=(dt.month - 1) // 3 * 3 + 1, day=1)

    def format(self, dt: datetime) -> str:
        return super().format(dt).format(quarter=(dt.month - 1) // 3 + 1)

    def decode_downstream(self, downstream_key: str) -> datetime:
        year, quarter = _read(self._key_pattern, downstream_key, ("Y", "quarter"))
        return datetime(year, quarter * 3 - 2, 1)  # noqa: DTZ001 - as Airflow does


class StartOfYearMapper(_DayMapper):
    """The year of a key."""

    default_output_format = "%Y"

    def normalize(self, dt: datetime) -> datetime:
        return super().normalize(dt).replace(month=1, day=1)


def _read(pattern: re.Pattern[str], key: str, names: tuple[str, ...]) -> tuple[int, ...]:
    """Return the numbers that a key has; raises ValueError if it lacks one."""
    found = pattern.search(key)
    if found is None or not set(names) <= set(found.groupdict()):
        raise ValueError(f"the key {key!r} does not say {', '.join(names)} as {pattern.pattern}")
    return tuple(int(found[name]) for name in names)


class FanOutMapper(PartitionMapper):
    """A run for each partition of a window around one key."""

    default_downstream_mapper_by_window_name: dict[str, type[PartitionMapper]] = {  # noqa: RUF012
        "DayWindow": StartOfHourMapper,
        "WeekWindow": StartOfDayMapper,
        "MonthWindow": StartOfDayMapper,
        "QuarterWindow": StartOfMonthMapper,
        "YearWindow": StartOfMonthMapper,
    }

    def __init__(
        self,
        *,
        upstream_mapper: PartitionMapper,
        window: Any,
        downstream_mapper: PartitionMapper | None = None,
        max_downstream_keys: int | None = None,
    ) -> None:
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.upstream_mapper = upstream_mapper
        self.window = window
        usual = self.default_downstream_mapper_by_window_name.get(type(window).__name__)
        if downstream_mapper is None and usual is None:
            raise ValueError(f"a FanOutMapper with a {type(window).__name__} needs a downstream_mapper")
        self.downstream_mapper: PartitionMapper = downstream_mapper or (usual or PartitionMapper)()

    def to_downstream(self, key: str) -> Iterable[str]:
        own = self.upstream_mapper.to_downstream(key)
        if not isinstance(own, str):
            raise TypeError("the upstream_mapper of a FanOutMapper gives several keys")
        start = self.upstream_mapper.decode_downstream(own)
        return [_written(self.downstream_mapper, each) for each in self.window.to_upstream(start)]

    def to_partition_date(self, downstream_key: str) -> datetime | None:
        return self.downstream_mapper.to_partition_date(downstream_key)


def _written(mapper: PartitionMapper, decoded: Any) -> str:
    form = getattr(mapper, "format", None)
    if callable(form):
        return str(form(decoded))
    return decoded.isoformat() if isinstance(decoded, datetime) else str(decoded)
