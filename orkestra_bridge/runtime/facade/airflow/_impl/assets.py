"""Assets (datasets) as data: names in schedules, inlets and outlets."""

from __future__ import annotations

from typing import Any

_BY_NAME: dict[str, Asset] = {}


def asset_named(name: str) -> Asset:
    """Return the asset of this name that has been made here; Airflow has them all in its database."""
    return _BY_NAME.get(name) or Asset(name)


def normalised(uri: str) -> str:
    """Return a URI as Airflow writes it; raises ValueError for a reserved scheme.

    Source: `airflow.sdk.definitions.asset._sanitize_uri`, without what providers add for their schemes.
    """
    from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

    parts = urlsplit(uri)
    scheme = parts.scheme.lower()
    if not scheme or scheme.startswith("x-"):
        return uri
    if scheme == "airflow":
        raise ValueError("Asset scheme 'airflow' is reserved")
    host = parts.netloc.rpartition("@")[2] if parts.password else parts.netloc
    query = urlencode(sorted(parse_qsl(parts.query)))
    return urlunsplit((scheme, host, parts.path.rstrip("/") or "/", query, ""))


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
        self.uri = normalised(str(name if uri is None else uri))
        self.group = group
        self.extra = extra or {}
        self.watchers = list(watchers or [])
        if self.uri != self.name or self.name not in _BY_NAME:
            _BY_NAME[self.name] = self

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


def expand_alias(alias: Any, *_args: Any, **_kwargs: Any) -> list[Any]:
    """Return the assets that an alias stands for; which ones is in Airflow's database, so none here."""
    return []
