"""Metrics, listeners and lineage: accepted from providers, collected by nobody."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class _Timer:
    duration: float = 0.0

    def __enter__(self) -> _Timer:  # noqa: PYI034
        return self

    def __exit__(self, *_error: object) -> None: ...

    def start(self) -> _Timer:
        return self

    def stop(self, send: bool = True) -> None: ...


class Stats:
    """Takes metrics and drops them."""

    @staticmethod
    def incr(*_args: Any, **_kwargs: Any) -> None: ...

    decr = gauge = timing = incr

    @staticmethod
    def timer(*_args: Any, **_kwargs: Any) -> _Timer:
        return _Timer()


def hookimpl(function: Callable[..., Any] | None = None, **_options: Any) -> Any:
    """Return the listener's function as it is; nothing calls it here."""
    return function if function is not None else lambda each: each


class _ListenerManager:
    has_listeners = False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self if name == "hook" else lambda *_args, **_kwargs: None


def get_listener_manager() -> Any:
    return _ListenerManager()


@dataclass
class AssetLineageInfo:
    """An asset that a hook read or wrote."""

    asset: Any
    count: int
    context: Any


@dataclass
class HookLineage:
    """What hooks read and wrote."""

    inputs: list[Any] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)
    extra: list[Any] = field(default_factory=list)


class HookLineageCollector:
    """Takes what hooks read and write and drops it: no lineage backend is here."""

    has_collected = False

    @property
    def collected_assets(self) -> HookLineage:
        return HookLineage()

    collected_datasets = collected_assets

    def create_asset(self, *_args: Any, **_kwargs: Any) -> None: ...

    add_input_asset = add_output_asset = add_input_dataset = add_output_dataset = add_extra = create_asset


NoOpCollector = HookLineageReader = HookLineageCollector

_COLLECTOR = HookLineageCollector()


def get_hook_lineage_collector() -> HookLineageCollector:
    return _COLLECTOR


@contextmanager
def add_span(*_args: Any, **_kwargs: Any) -> Iterator[None]:
    yield


def suppress_and_warn(*_exceptions: type[BaseException]) -> Any:
    from contextlib import suppress

    return suppress(*_exceptions)
