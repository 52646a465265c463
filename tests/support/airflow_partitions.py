"""Asks Airflow's own classes about partitions: JSON cases on standard input, answers on standard output, in their order.

    {"cron": arguments of CronPartitionTimetable, "ticks": [...], "keys": [...]}
    {"mapper": Python, "keys": [...], "targets": [...], "date": ...}

Python is evaluated with Airflow's names; dates are ISO 8601 in UTC; what raises is answered with null.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def iso(moment: datetime | None) -> str | None:
    return moment.astimezone(timezone.utc).isoformat() if moment else None


def asked(question: Callable[..., Any], keys: list[str]) -> list[Any]:
    """Return what a function says of each key, None where it raises."""
    found: list[Any] = []
    for key in keys:
        found.append(None)
        with suppress(Exception):
            found[-1] = question(key)
    return found


def of_cron(case: dict[str, Any]) -> dict[str, Any]:
    """Return key and date of the partition of each tick, and the date that each key means."""
    import pendulum
    from airflow.timetables.trigger import CronPartitionTimetable

    cron, options = case["cron"]
    timetable = CronPartitionTimetable(cron, **options)

    def of_tick(text: str) -> list[str | None]:
        date, key = timetable._get_partition_info(pendulum.parse(text))
        return [key, iso(date)]

    return {
        "ticks": [of_tick(text) for text in case["ticks"]],
        "keys": asked(lambda key: iso(timetable.resolve_partition_date(key)), case["keys"]),
    }


def evaluated(mapper: str, names: dict[str, Any]) -> Any:
    """Return what a piece of Python makes of classes with these names."""
    return eval(mapper, dict(names))


def of_mapper(case: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    """Return what a mapper makes of keys, and what it says about the keys of runs; nothing if it cannot be made."""
    try:
        mapper = evaluated(case["mapper"], names)
    except (TypeError, ValueError) as problem:
        return {"refused": type(problem).__name__}

    def downstream(key: str) -> list[str]:
        found = mapper.to_downstream(key)
        return [found] if isinstance(found, str) else sorted(found)

    def upstream(key: str) -> list[str] | None:
        return sorted(mapper.to_upstream(key)) if mapper.is_rollup else None

    return {
        "downstream": asked(downstream, case["keys"]),
        "upstream": asked(upstream, case["targets"]),
        "dates": asked(lambda key: iso(mapper.to_partition_date(key)), case["targets"]),
        "carried": iso(mapper.carry_partition_date(datetime(2024, 1, 1, tzinfo=timezone.utc))),
        "most": mapper.max_downstream_keys,
        "rollup": mapper.is_rollup,
        "waits": [waits(mapper, count) for count in (0, 1, 2, 7, 24)] if mapper.is_rollup else None,
    }


def waits(mapper: Any, count: int) -> list[list[bool]]:
    """Return whether so many of the expected keys satisfy a rollup, and whether they never can, for each number."""
    keys = [str(number) for number in range(count)]
    found = [
        mapper.wait_policy.is_satisfied_by_keys(matched={*keys[:there], "x"}, expected=frozenset(keys))
        for there in range(count + 1)
    ]
    return [[each.satisfied, each.unreachable] for each in found]


def main() -> None:
    from airflow import partition_mappers

    names = {name: getattr(partition_mappers, name) for name in partition_mappers.__all__}
    cases = json.load(sys.stdin)
    answers = [of_cron(case) if "cron" in case else of_mapper(case, names) for case in cases]
    sys.stdout.write(json.dumps(answers) + "\n")


if __name__ == "__main__":
    main()
