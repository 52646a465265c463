"""`airflow.utils.dates` and `airflow.utils.helpers` of Airflow 2."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Generator, Iterable
from functools import reduce
from pathlib import Path
from typing import Any

from airflow._impl.timezone import utc, utcnow

cron_presets = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
}


def days_ago(n: int, hour: int = 0, minute: int = 0, second: int = 0, microsecond: int = 0) -> dt.datetime:
    """Return the time of day n days ago, UTC."""
    today = utcnow().replace(hour=hour, minute=minute, second=second, microsecond=microsecond)
    return today - dt.timedelta(days=n)


def parse_execution_date(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=utc)


def round_time(moment: dt.datetime, delta: dt.timedelta, start_date: dt.datetime) -> dt.datetime:
    """Return the point start_date + n * delta that is nearest to a moment."""
    steps = round((moment - start_date) / delta)
    return start_date + max(steps, 0) * delta


def as_tuple(obj: Any) -> Any:
    return obj if isinstance(obj, tuple) else (obj,)


def alchemy_to_dict(obj: Any) -> dict[str, Any] | None:
    return dict(vars(obj)) if obj else None


def chunks(items: list[Any], chunk_size: int) -> Generator[list[Any], None, None]:
    """Return the items in lists of a size; raises ValueError for a size below 1."""
    if chunk_size <= 0:
        raise ValueError("Chunk size must be a positive integer")
    for start in range(0, len(items), chunk_size):
        yield items[start : start + chunk_size]


def reduce_in_chunks(
    fn: Callable[[Any, list[Any]], Any], iterable: list[Any], initializer: Any, chunk_size: int = 0
) -> Any:
    """Return the fold of a function over chunks of a list."""
    if not iterable:
        return initializer
    return reduce(fn, chunks(iterable, chunk_size or len(iterable)), initializer)


def is_container(obj: Any) -> bool:
    return isinstance(obj, Iterable) and not isinstance(obj, str)


def exactly_one(*args: Any) -> bool:
    return sum(bool(arg) for arg in args) == 1


def at_most_one(*args: Any) -> bool:
    return sum(bool(arg) for arg in args) <= 1


def prune_dict(val: Any, mode: str = "strict") -> Any:
    """Return a copy without None (``strict``) or without falsy values (``truthy``), however deep."""

    def empty(value: Any) -> bool:
        return value is None if mode == "strict" else not value

    if isinstance(val, dict):
        pruned = {key: prune_dict(item, mode) for key, item in val.items() if not empty(item)}
        return {
            key: item for key, item in pruned.items() if not (isinstance(item, (dict, list)) and not item)
        }
    if isinstance(val, list):
        return [prune_dict(item, mode) for item in val if not empty(item)]
    return val


def apply_defaults(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function as it is; operators get their defaults without the decorator since Airflow 2.0."""
    return function


def convert_camel_to_snake(camel_str: str) -> str:
    return re.sub(r"(?!^)([A-Z]+)", r"_\1", camel_str).lower()


def as_flattened_list(iterable: Iterable[Iterable[Any]]) -> list[Any]:
    return [item for items in iterable for item in items]


def partition(pred: Callable[[Any], bool], iterable: Iterable[Any]) -> tuple[Iterable[Any], Iterable[Any]]:
    """Return the items for which a predicate is false, and those for which it is true."""
    items = list(iterable)
    return [item for item in items if not pred(item)], [item for item in items if pred(item)]


def mkdirs(path: str, mode: int) -> None:
    Path(path).mkdir(mode=mode, parents=True, exist_ok=True)
