"""Partitioned schedules of Airflow 3.3, as data: the arguments are kept, nothing here computes with them."""

from __future__ import annotations

from enum import Enum
from typing import Any


class _Described:
    """Keeps what it was given."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args = args
        self.kwargs = kwargs

    def __repr__(self) -> str:
        given = [*map(repr, self.args), *(f"{key}={value!r}" for key, value in self.kwargs.items())]
        return f"{type(self).__name__}({', '.join(given)})"


class PartitionMapper(_Described):
    """Base of the mappers from one asset's partitions to another's."""


class Window(_Described):
    """Base of the windows over partitions."""

    class Direction(str, Enum):
        """Whether a window ends or begins at a key."""

        BACKWARD = "backward"
        FORWARD = "forward"


def _named(name: str, base: type) -> type:
    return type(
        name,
        (base,),
        {"__doc__": "As Airflow's class of this name, by its arguments.", "__module__": __name__},
    )


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    base = PartitionMapper if name.endswith("Mapper") else Window if name.endswith("Window") else _Described
    found = globals()[name] = _named(name, base)
    return found
