"""What the runtime itself raises; everything else that leaves the handler is the user's own exception."""

from __future__ import annotations

from typing import Any


class RuntimeSetupError(Exception):
    """The package or the event cannot be right: a broken build or a state machine of another version."""


class XComSerializationError(TypeError):
    """A value that Airflow could not push either."""

    def __init__(self, kind: str, *, task_id: str, key: str) -> None:
        place = f" pushed by task {task_id!r} as {key!r}" if task_id else ""
        super().__init__(
            f"cannot serialize object of type {kind}{place}; push plain values (numbers, text, lists, dicts, dates), "
            "a dataclass, or give the class serialize() and deserialize()"
        )
        self.kind = kind


class MapTooLongError(Exception):
    """A mapped task expands into more instances than its state machine has room for."""


class XComStorageError(Exception):
    """An XCom that is too large for the state data cannot be written to its store, or read from there."""


class StateStorageError(Exception):
    """What a task or an asset stores, or what has happened to an asset, cannot be kept or found."""


class AssetEventError(Exception):
    """The event of an asset that a task has updated cannot be put on the bus; without it others wait for ever."""


class XComTooLargeError(Exception):
    """XComs that a state machine cannot pass on, where there is no store for them."""


class Terminated(Exception):  # noqa: N818 - the name that Airflow gives it, which ends up in the machine
    """The container was told to stop: the task's time is over, or somebody stopped it."""


class ImageStarts(BaseException):
    """No failure: the task goes on in a container, which the state machine starts with these overrides.

    ``pushed`` are the XComs that `pre_execute` and callbacks have pushed before, encoded.
    """

    def __init__(self, overrides: list[dict[str, Any]]) -> None:
        super().__init__()
        self.overrides = overrides
        self.pushed: dict[str, Any] = {}


class AnotherTry(BaseException):
    """No failure: the state machine tries the task again after so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
