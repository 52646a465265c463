"""``outlet_events``, ``inlet_events`` and ``triggering_asset_events`` of the context.

Source: `airflow/sdk/execution_time/context.py` (3.x), `airflow/utils/context.py` (2.x, which takes URIs as keys too).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

from airflow._impl.assets import Asset, AssetAlias, AssetRef, asset_named
from orkestra_bridge.runtime.asset_history import events_of

Key = tuple[str, str, str]
_KINDS = (Asset, AssetAlias, AssetRef)


class AssetEvent:
    """One event of an asset; by its old name a dataset event."""

    def __init__(self, detail: Mapping[str, Any]) -> None:
        self.asset = Asset(detail["name"], detail["uri"], group=detail.get("group") or "asset")
        self.extra: dict[str, Any] = dict(detail.get("extra") or {})
        self.timestamp = _moment(detail["timestamp"])
        self.source_dag_id: str | None = detail.get("source_dag_id")
        self.source_run_id: str | None = detail.get("source_run_id")
        self.source_task_id: str | None = detail.get("source_task_id")
        self.source_map_index: int | None = detail.get("source_map_index")
        self.source_aliases = [AssetAlias(name) for name in detail.get("aliases") or ()]
        self.partition_key: str | None = detail.get("partition_key")
        self._interval = detail.get("data_interval")

    def __repr__(self) -> str:
        source = f"{self.source_dag_id}.{self.source_task_id}"
        return f"AssetEvent(asset={self.asset!r}, extra={self.extra!r}, source={source})"

    @property
    def dataset(self) -> Asset:
        """Return the asset by its old name."""
        return self.asset

    @property
    def uri(self) -> str:
        """Return the URI of the asset."""
        return self.asset.uri

    @property
    def source_dag_run(self) -> Any:
        """Return what is known of the run that made the event: its ids and its data interval; None without a run."""
        if not self.source_dag_id or not self.source_run_id:
            return None
        start, end = map(_moment, self._interval) if self._interval else (None, None)
        return SimpleNamespace(
            dag_id=self.source_dag_id,
            run_id=self.source_run_id,
            data_interval_start=start,
            data_interval_end=end,
        )


def _moment(text: str) -> Any:
    import pendulum

    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return pendulum.instance(moment.astimezone(timezone.utc), tz="UTC")


def _key(value: Any) -> Key:
    """Return kind, name and URI of an asset, an alias, a reference or (Airflow 2) a URI."""
    if isinstance(value, str):
        return ("asset", "", Asset(uri=value).uri)
    if isinstance(value, AssetAlias):
        return ("alias", value.name, "")
    if isinstance(value, (Asset, AssetRef)):
        return ("asset", value.name or "", value.uri or "")
    raise TypeError(f"Key should be either an asset or an asset alias, not {type(value)}")


def _same(one: Key, other: Key) -> bool:
    """Return True if two keys mean the same: a reference knows only one of name and URI."""
    if one[0] != other[0]:
        return False
    pairs = [(a, b) for a, b in zip(one[1:], other[1:], strict=True) if a and b]
    return bool(pairs) and all(a == b for a, b in pairs)


class _ByAsset:
    """``for_asset`` and ``for_asset_alias`` for what is looked up by asset."""

    def for_asset(self, *, name: str | None = None, uri: str | None = None) -> Any:
        if not name and not uri:
            raise ValueError("name and uri cannot both be None")
        return self[Asset(name, uri) if name and uri else AssetRef(name=name, uri=uri)]

    def for_asset_alias(self, *, name: str) -> Any:
        return self[AssetAlias(name)]

    def __getitem__(self, key: Any) -> Any:
        raise NotImplementedError


class OutletEventAccessor:
    """What a task says about the event of one of its outlets."""

    longest_partition_key = 250

    def __init__(self, key: Any) -> None:
        self.key = key
        self.extra: dict[str, Any] = {}
        self.asset_alias_events: list[tuple[Any, dict[str, Any]]] = []
        self.partition_keys: set[str] = set()

    def add(self, asset: Any, extra: dict[str, Any] | None = None) -> None:
        """Add an event of an asset to an alias; for an asset nothing happens."""
        if isinstance(self.key, AssetAlias):
            self.asset_alias_events.append(
                (Asset(uri=asset) if isinstance(asset, str) else asset, extra or {})
            )

    def add_partitions(self, keys: Any) -> None:
        """Add partition keys: there is an event for each; raises TypeError for an alias, ValueError for a bad key."""
        if isinstance(self.key, AssetAlias):
            raise TypeError("add_partitions() is not supported on asset alias outlet events")
        for key in [keys] if isinstance(keys, str) else keys:
            if not key.strip() or len(key) > self.longest_partition_key:
                raise ValueError(
                    f"partition_key must have 1 to {self.longest_partition_key} characters; got {key!r}."
                )
            self.partition_keys.add(key)


class OutletEventAccessors(_ByAsset, Mapping[Any, OutletEventAccessor]):
    """``outlet_events``: an accessor for each outlet, made when it is first looked at."""

    def __init__(self) -> None:
        self._found: dict[Key, OutletEventAccessor] = {}

    def __getitem__(self, key: Any) -> OutletEventAccessor:
        wanted = _key(key)
        known = next((found for place, found in self._found.items() if _same(place, wanted)), None)
        if known is None:
            known = self._found[wanted] = OutletEventAccessor(key)
        return known

    def __iter__(self) -> Iterator[Any]:
        return (accessor.key for accessor in self._found.values())

    def __len__(self) -> int:
        return len(self._found)


class TriggeringAssetEventsAccessor(_ByAsset, Mapping[Any, Sequence[AssetEvent]]):
    """``triggering_asset_events``: the events that started the run, by asset and by alias."""

    def __init__(self, events: Sequence[AssetEvent]) -> None:
        self._events: dict[Key, tuple[Any, list[AssetEvent]]] = {}
        for event in events:
            for owner in (event.asset, *event.source_aliases):
                self._events.setdefault(_key(owner), (owner, []))[1].append(event)

    def __getitem__(self, key: Any) -> Sequence[AssetEvent]:
        wanted = _key(key)
        for place, (_, events) in self._events.items():
            if _same(place, wanted):
                return events
        raise KeyError(key)

    def __iter__(self) -> Iterator[Any]:
        return (owner for owner, _ in self._events.values())

    def __len__(self) -> int:
        return len(self._events)


def triggering_dataset_events(events: Sequence[AssetEvent]) -> dict[str, list[AssetEvent]]:
    """Return the events that started the run by URI, as Airflow 2 has them."""
    found: dict[str, list[AssetEvent]] = {}
    for event in events:
        found.setdefault(event.uri, []).append(event)
    return found


class InletEventsAccessor(Sequence[AssetEvent]):
    """The events of one inlet, the oldest first; they are read when they are first looked at."""

    def __init__(self, keys: Sequence[str], of_run: Sequence[Mapping[str, Any]]) -> None:
        self._keys = keys
        self._of_run = of_run
        self._query: dict[str, Any] = {}
        self._found: list[AssetEvent] | None = None

    def after(self, after: Any) -> InletEventsAccessor:
        """Leave out what was before a moment, a text in ISO 8601."""
        return self._with(after=after)

    def before(self, before: Any) -> InletEventsAccessor:
        """Leave out what was after a moment, a text in ISO 8601."""
        return self._with(before=before)

    def ascending(self, ascending: bool = True) -> InletEventsAccessor:
        """Put the oldest first, or the newest."""
        return self._with(ascending=ascending)

    def limit(self, limit: int) -> InletEventsAccessor:
        """Leave out all but the first of them."""
        return self._with(limit=limit)

    def _with(self, **query: Any) -> InletEventsAccessor:
        self._query.update(query)
        self._found = None
        return self

    @property
    def _events(self) -> list[AssetEvent]:
        if self._found is None:
            self._found = list(map(AssetEvent, events_of(self._keys, self._of_run, **self._query)))
        return self._found

    def __getitem__(self, key: Any) -> Any:
        return self._events[key]

    def __iter__(self) -> Iterator[AssetEvent]:
        return iter(self._events)

    def __len__(self) -> int:
        return len(self._events)

    def __repr__(self) -> str:
        return f"InletEventsAccessor({', '.join(self._keys)})"


class InletEventsAccessors(_ByAsset, Mapping[Any, Any]):
    """``inlet_events``: what has happened to the inlets, by inlet or by its number."""

    def __init__(self, inlets: Any, of_run: Sequence[Mapping[str, Any]]) -> None:
        self._inlets = list(inlets)
        self._of_run = of_run

    def __getitem__(self, key: Any) -> InletEventsAccessor:
        inlet = self._inlets[key] if isinstance(key, int) else key
        if isinstance(key, int) and not isinstance(inlet, _KINDS):
            raise IndexError(key)
        wanted = _key(inlet)
        found = next((each for each in self._known() if _same(each, wanted)), None)
        if found is None:
            raise KeyError(inlet)
        # A reference knows a part of what its asset has, and Airflow asks for that part alone.
        kind, name, uri = found if wanted[1] and wanted[2] else wanted
        keys = [f"{label} {text}" for label, text in (("uri", uri), ("name", name)) if text]
        return InletEventsAccessor([f"alias {name}"] if kind == "alias" else keys, self._of_run)

    def _known(self) -> Iterator[Key]:
        for inlet in self._inlets:
            if isinstance(inlet, _KINDS):
                kind, name, uri = _key(inlet)
                yield (kind, name, uri or asset_named(name).uri) if kind == "asset" else (kind, name, uri)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._inlets)

    def __len__(self) -> int:
        return len(self._inlets)
