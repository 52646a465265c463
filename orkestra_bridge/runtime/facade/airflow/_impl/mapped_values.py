"""What ``.map()``, ``.zip()`` and ``.concat()`` make of XComs: sequences that compute an item when it is asked for.

A function given to ``map()`` runs for the instance's own item alone, and what it raises fails or skips that instance.
Source: `_MapResult`, `_ZipResult` and `_ConcatResult` in Airflow's `xcom_arg.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any


def check_sequence(value: Any, what: str) -> Any:
    """Return the value; raises ValueError for one that is neither a sequence nor a dict."""
    if not isinstance(value, (Sequence, dict)):
        raise ValueError(f"XCom {what} expects sequence or dict, not {type(value).__name__}")  # noqa: TRY004
    return value


class MapResult(Sequence[Any]):
    """Items, each passed through functions."""

    def __init__(self, value: Any, callables: Iterable[Callable[[Any], Any]]) -> None:
        self.value = check_sequence(value, "map")
        self.callables = list(callables)

    def __getitem__(self, index: Any) -> Any:
        value = self.value[index]
        for function in self.callables:
            value = function(value)
        return value

    def __len__(self) -> int:
        return len(self.value)


class ZipResult(Sequence[Any]):
    """The items of several sequences side by side; ``fill`` holds the value for those that end early, if any."""

    def __init__(self, values: Iterable[Any], fill: tuple[Any, ...] = ()) -> None:
        self.values = [check_sequence(value, "zip") for value in values]
        self.fill = fill

    def __getitem__(self, index: Any) -> Any:
        if index >= len(self):
            raise IndexError(index)
        return tuple(self._item(value, index) for value in self.values)

    def _item(self, items: Any, index: Any) -> Any:
        try:
            return items[index]
        except (IndexError, KeyError):
            # Airflow hands out its own marker here where no fillvalue was given: a dict has no item 0.
            return self.fill[0] if self.fill else None

    def __len__(self) -> int:
        return zip_length([len(value) for value in self.values], filled=bool(self.fill))


def zip_length(lengths: list[int], *, filled: bool) -> int:
    """Return how many items sequences of these lengths have side by side."""
    return max(lengths) if filled else min(lengths)


class ConcatResult(Sequence[Any]):
    """The items of several sequences one after the other; of a dict, its keys."""

    def __init__(self, values: Iterable[Any]) -> None:
        self.values = [check_sequence(value, "concat") for value in values]

    def __getitem__(self, index: Any) -> Any:
        rest = index if index >= 0 else len(self) + index
        for value in self.values:
            if rest < 0:
                break
            if rest < len(value):
                return value[rest] if isinstance(value, Sequence) else next(islice(value, rest, None))
            rest -= len(value)
        raise IndexError("list index out of range")

    def __len__(self) -> int:
        return sum(len(value) for value in self.values)
