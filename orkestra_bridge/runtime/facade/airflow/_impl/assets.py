"""Assets (datasets) as data: names in schedules, inlets and outlets."""

from __future__ import annotations

from collections import defaultdict
from typing import Any


class _Condition:
    """What can be combined to a schedule with ``&`` and ``|``."""

    def __or__(self, other: Any) -> AssetAny:
        return AssetAny(self, other)

    def __and__(self, other: Any) -> AssetAll:
        return AssetAll(self, other)


class Asset(_Condition):
    """A named piece of data."""

    def __init__(
        self,
        name: str | None = None,
        uri: Any = None,
        *,
        group: str = "asset",
        extra: dict[str, Any] | None = None,
        watchers: Any = None,
        **_kwargs: Any,
    ) -> None:
        if name is None and uri is None:
            raise TypeError("Asset needs a name or a uri")
        self.name = str(uri) if name is None else name
        self.uri = str(name if uri is None else uri)
        self.group = group
        self.extra = extra or {}
        self.watchers = list(watchers or [])

    def __repr__(self) -> str:
        return f"Asset(name={self.name!r}, uri={self.uri!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Asset) and (self.name, self.uri) == (other.name, other.uri)

    def __hash__(self) -> int:
        return hash((self.name, self.uri))

    def __fspath__(self) -> str:
        return self.uri

    @staticmethod
    def ref(*, name: str | None = None, uri: str | None = None) -> AssetRef:
        """Return a reference to an asset that is defined elsewhere."""
        return AssetRef(name=name, uri=uri)


class Dataset(Asset):
    """Airflow 2's asset: a URI."""

    def __init__(
        self, uri: Any = None, extra: dict[str, Any] | None = None, *, name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(name, uri, extra=extra, **kwargs)


class Model(Asset):
    """An asset that is a model."""


class AssetAlias(_Condition):
    """A name that stands for assets known at run time."""

    def __init__(self, name: str, *, group: str = "asset") -> None:
        self.name = name
        self.group = group

    def __hash__(self) -> int:
        return hash(self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AssetAlias) and self.name == other.name


class AssetRef(_Condition):
    """A reference to an asset by name or URI."""

    def __init__(self, name: str | None = None, uri: str | None = None) -> None:
        self.name = name
        self.uri = uri


class _Combined(_Condition):
    def __init__(self, *objects: Any) -> None:
        self.objects = list(objects)


class AssetAny(_Combined):
    """One of several assets."""


class AssetAll(_Combined):
    """All of several assets."""


class AssetWatcher:
    """An event source of an asset."""

    def __init__(self, name: str, trigger: Any = None) -> None:
        self.name = name
        self.trigger = trigger


class Metadata:
    """Extra data of an asset event, yielded by a task."""

    def __init__(self, asset: Any, extra: dict[str, Any] | None = None, alias: Any = None) -> None:
        self.asset = asset
        self.extra = extra or {}
        self.alias = alias


class OutletEvent:
    """What a task adds to the event of one of its outlets."""

    def __init__(self) -> None:
        self.extra: dict[str, Any] = {}
        self.asset_alias_events: list[Any] = []

    def add(self, asset: Any, extra: dict[str, Any] | None = None) -> None:
        self.asset_alias_events.append({"asset": asset, "extra": extra or {}})


class OutletEvents(defaultdict[Any, OutletEvent]):
    """``outlet_events`` of the context: one event per outlet."""

    def __init__(self) -> None:
        super().__init__(OutletEvent)


def expand_alias(alias: Any, *_args: Any, **_kwargs: Any) -> list[Any]:
    """Return the assets that an alias stands for; which ones is in Airflow's database, so none here."""
    return []
