"""Partition mappers and the timetables of partitioned DAGs.

Source: `airflow/partition_mappers/` and `airflow/timetables/simple.py` (3.3). `runtime/partition_events.py` asks them
which runs an event of an asset is for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow._impl.assets import Asset, AssetRef
from airflow._impl.timetables import CronTriggerTimetable, NullTimetable, Timetable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime


class AssetAccessControl:
    """Who may produce and consume an asset; kept as it was given."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args = args
        self.kwargs = kwargs


class PartitionMapper:
    """Maps the key of an asset's partition to those of a DAG's runs."""

    is_rollup = False
    max_downstream_keys: int | None = None
    expected_decoded_type: type = str

    def __init__(self, *, max_downstream_keys: int | None = None) -> None:
        if max_downstream_keys is not None and (
            not isinstance(max_downstream_keys, int) or max_downstream_keys < 1
        ):
            raise ValueError(
                f"max_downstream_keys must be a number from 1, or None, not {max_downstream_keys!r}"
            )
        self.max_downstream_keys = max_downstream_keys

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = [
            getattr(cls, name) is not getattr(PartitionMapper, name)
            for name in ("decode_downstream", "encode_upstream")
        ]
        if any(own) != all(own):
            raise TypeError(
                f"{cls.__qualname__} has only one of decode_downstream and encode_upstream; the other one undoes it"
            )

    def to_downstream(self, key: str) -> str | Iterable[str]:
        """Return the keys of the runs that a key of the asset is for."""
        raise NotImplementedError

    def decode_downstream(self, downstream_key: str) -> Any:
        """Return what a key of a run stands for, as a window takes it."""
        return downstream_key

    def encode_upstream(self, decoded: Any) -> str:
        """Return the key of the asset for what a window gives."""
        text: str = decoded
        return text

    def to_partition_date(self, downstream_key: str) -> datetime | None:
        """Return the moment at which a run's partition begins, None if its key means no time."""
        return None

    def carry_partition_date(self, source_partition_date: datetime | None) -> datetime | None:
        """Return the date of the run that made the event, if it is the one of this run too."""
        return None


class IdentityMapper(PartitionMapper):
    """The same key."""

    def to_downstream(self, key: str) -> str:
        return key

    def carry_partition_date(self, source_partition_date: datetime | None) -> datetime | None:
        return source_partition_date


class AllowedKeyMapper(PartitionMapper):
    """The same key, if it is one of some."""

    def __init__(self, allowed_keys: list[str], *, max_downstream_keys: int | None = None) -> None:
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.allowed_keys = allowed_keys

    def to_downstream(self, key: str) -> str:
        if key not in self.allowed_keys:
            raise ValueError(f"the key {key!r} is none of {self.allowed_keys}")
        return key


class FixedKeyMapper(PartitionMapper):
    """One key for all."""

    def __init__(self, downstream_key: str, *, max_downstream_keys: int | None = None) -> None:
        if not downstream_key or not isinstance(downstream_key, str):
            raise ValueError(f"FixedKeyMapper needs text that is not empty, not {downstream_key!r}")
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.downstream_key = downstream_key

    def to_downstream(self, key: str) -> str:
        return self.downstream_key


class _Several(PartitionMapper):
    def __init__(
        self,
        mapper0: PartitionMapper,
        mapper1: PartitionMapper,
        /,
        *mappers: PartitionMapper,
        max_downstream_keys: int | None = None,
    ) -> None:
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.mappers = [mapper0, mapper1, *mappers]


class ChainMapper(_Several):
    """One mapper after the other."""

    def to_downstream(self, key: str) -> str | Iterable[str]:
        keys = [key]
        for mapper in self.mappers:
            keys = [found for each in keys for found in _each(mapper, mapper.to_downstream(each))]
        return keys[0] if len(keys) == 1 else keys

    def to_partition_date(self, downstream_key: str) -> datetime | None:
        return self.mappers[-1].to_partition_date(downstream_key)


def _each(mapper: PartitionMapper, found: Any) -> list[str]:
    keys = [found] if isinstance(found, str) else list(found)
    if not all(isinstance(key, str) for key in keys):
        raise TypeError(f"to_downstream of {type(mapper).__name__} gives something else than text")
    return keys


class ProductMapper(_Several):
    """A mapper for each part of a key."""

    def __init__(self, *mappers: PartitionMapper, delimiter: str = "|", **options: Any) -> None:
        super().__init__(*mappers, **options)
        self.delimiter = delimiter

    def to_downstream(self, key: str) -> str:
        parts = key.split(self.delimiter)
        if len(parts) != len(self.mappers):
            raise ValueError(f"the key {key!r} has {len(parts)} parts, there are {len(self.mappers)} mappers")
        found = [mapper.to_downstream(part) for mapper, part in zip(self.mappers, parts, strict=True)]
        if not all(isinstance(each, str) for each in found):
            raise TypeError("a mapper of a ProductMapper gives several keys")
        return self.delimiter.join(map(str, found))

    def to_partition_date(self, downstream_key: str) -> datetime | None:
        parts = downstream_key.split(self.delimiter)
        if len(parts) != len(self.mappers):
            return None
        pairs = zip(self.mappers, parts, strict=True)
        dates = [date for mapper, part in pairs if (date := mapper.to_partition_date(part)) is not None]
        return dates[0] if len(dates) == 1 else None


class RollupMapper(PartitionMapper):
    """Many keys of the asset for one run, which waits for those of a window."""

    is_rollup = True

    def __init__(
        self,
        *,
        upstream_mapper: PartitionMapper,
        window: Any,
        wait_policy: Any = None,
        max_downstream_keys: int | None = None,
    ) -> None:
        from airflow._impl.partition_windows import WaitForAll

        if upstream_mapper.expected_decoded_type is not window.expected_decoded_type:
            raise TypeError(
                f"{type(upstream_mapper).__name__} decodes keys to another type than {type(window).__name__} takes"
            )
        super().__init__(max_downstream_keys=max_downstream_keys)
        self.upstream_mapper = upstream_mapper
        self.window = window
        self.wait_policy = wait_policy or WaitForAll()

    def to_downstream(self, key: str) -> str | Iterable[str]:
        return self.upstream_mapper.to_downstream(key)

    def to_upstream(self, downstream_key: str) -> frozenset[str]:
        """Return all keys of the asset that a run waits for."""
        decoded = self.upstream_mapper.decode_downstream(downstream_key)
        return frozenset(map(self.upstream_mapper.encode_upstream, self.window.to_upstream(decoded)))

    def to_partition_date(self, downstream_key: str) -> datetime | None:
        return self.upstream_mapper.to_partition_date(downstream_key)


class CronPartitionTimetable(CronTriggerTimetable):
    """A run at every tick, about a partition."""

    partitioned = True

    def __init__(
        self,
        cron: str,
        *,
        timezone: Any,
        run_offset: int | None = None,
        run_immediately: Any = False,
        key_format: str = "%Y-%m-%dT%H:%M:%S",
    ) -> None:
        super().__init__(cron, timezone=timezone, run_immediately=run_immediately)
        self.run_offset = run_offset
        self.key_format = key_format


class PartitionedAtRuntime(NullTimetable):
    """No schedule; whoever starts a run gives it a key, or its tasks give some to the assets."""

    partitioned_at_runtime = True


class PartitionedAssetTimetable(Timetable):
    """Runs for the partitions of assets."""

    partitioned = True

    def __init__(
        self,
        assets: Any,
        partition_mapper_config: dict[Any, PartitionMapper] | None = None,
        default_partition_mapper: PartitionMapper | None = None,
    ) -> None:
        self.asset_condition = assets
        self.partition_mapper_config = partition_mapper_config or {}
        self.default_partition_mapper = default_partition_mapper or IdentityMapper()
        self._by_name: dict[str, PartitionMapper] = {}
        self._by_uri: dict[str, PartitionMapper] = {}
        for key, mapper in self.partition_mapper_config.items():
            for asset in leaves_of(key):
                if asset.name:
                    self._by_name[asset.name] = mapper
                if asset.uri:
                    self._by_uri[asset.uri] = mapper

    def get_partition_mapper(self, *, name: str = "", uri: str = "") -> PartitionMapper:
        """Return the mapper of an asset; as in Airflow, one that is known by its name is not looked for by its URI."""
        known, key = (self._by_name, name) if name else (self._by_uri, uri)
        return known.get(key, self.default_partition_mapper)

    def resolve_partition_date(self, key: str | None) -> datetime | None:
        """Return the moment at which a partition begins, if the mappers of all assets agree about it.

        Raises ValueError: a mapper does not understand the key.
        """
        if key is None:
            return None
        assets = leaves_of(self.asset_condition)
        mappers = [self.get_partition_mapper(name=each.name or "", uri=each.uri or "") for each in assets]
        dates = {date for mapper in mappers if (date := mapper.to_partition_date(key)) is not None}
        return dates.pop() if len(dates) == 1 else None


def leaves_of(condition: Any) -> Iterator[Any]:
    """Yield the assets of a condition and the references to some; aliases are neither."""
    if isinstance(condition, (Asset, AssetRef)):
        yield condition
    for member in getattr(condition, "objects", ()):
        yield from leaves_of(member)
