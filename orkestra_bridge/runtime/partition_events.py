"""Which runs of a partitioned DAG events of assets are for: what the asset launcher asks the DAG's function.

The partition mappers are Python, often the user's own, and are in the DAG's schedule. The function loads the DAG file
and answers with an entry for each partition of the DAG that the events are for; the launcher keeps an item for each,
until all that the schedule waits for is there.

Source: `AssetManager._queue_partitioned_dags` and `SchedulerJobRunner._create_dagruns_for_partitioned_asset_dags` (3.3).
What Airflow writes into its audit log is in the function's log.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

MOST_KEYS = 1000
"""Runs that one event may be for, if its mapper does not say (``[scheduler] partition_mapper_max_downstream_keys``)."""
NEVER = 1_000_000_000
"""So many partitions a run waits for if its mapper cannot say which: it never starts, as in Airflow."""
BROKEN = "?"
"""Stands for the date that a mapper could not tell: then the run has none."""

log = logging.getLogger("airflow.task")


def entries_of(dag: Any, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the runs that events are for, by the order of their keys.

    Args:
        dag: The loaded DAG.
        request: ``id`` and ``timestamp`` of what EventBridge delivered, its ``events`` that the DAG waits for, and
            ``leaves``: for each asset of the schedule the keys by which its events are known.

    Returns:
        ``entries``, each with the ``key`` of the partition, the ``item`` under which the launcher keeps it, a ``run_id``,
        the numbers of its ``events``; ``update``: how its item changes, as DynamoDB takes it; and what is said about its
        date: ``dates`` of mappers, and ``carried`` ones of the runs that made the events.
    """
    timetable = dag.timetable
    found: dict[str, _Entry] = {}
    for number, event in enumerate(request["events"]):
        mapper = _mapper(timetable, event)
        for key in _targets(mapper, event, dag.dag_id):
            entry = found.setdefault(key, _Entry(key))
            entry.add(number, event, mapper, _leaves(event, request["leaves"]))
    definition = fingerprint(timetable)
    return {"entries": [found[key].answer(dag.dag_id, definition, request) for key in sorted(found)]}


def _mapper(timetable: Any, event: Mapping[str, Any]) -> Any:
    """Return the mapper of the event's asset; Airflow knows every asset by its name, an event may know only its URI."""
    named = any(key.startswith("name ") for key in event["keys"])
    return timetable.get_partition_mapper(name=event["name"] if named else "", uri=event["uri"])


def _targets(mapper: Any, event: Mapping[str, Any], dag_id: str) -> list[str]:
    """Return the keys of the runs that an event is for; none, and a line in the log, if that cannot be told."""
    source = event["partition_key"]
    try:
        mapped = mapper.to_downstream(source)
    except Exception:
        log.exception(
            "The partition mapper of DAG %s does not take key %r of asset %s", dag_id, source, event["name"]
        )
        return []
    keys = [mapped] if isinstance(mapped, str) else list(mapped)
    most = MOST_KEYS if mapper.max_downstream_keys is None else mapper.max_downstream_keys
    if len(keys) > most:
        log.error(
            "The partition mapper of DAG %s makes %d keys of %r of asset %s, more than %d: the event starts no run",
            dag_id, len(keys), source, event["name"], most,
        )  # fmt: skip
        return []
    return list(dict.fromkeys(keys))


def _leaves(event: Mapping[str, Any], leaves: Sequence[Sequence[str]]) -> list[int]:
    return [number for number, keys in enumerate(leaves) if set(keys) & set(event["keys"])]


class _Entry:
    """A run that may start, and what is new about it."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.events: list[int] = []
        self.arrived: dict[int, set[str]] = {}
        self.needed: dict[int, int] = {}
        self.dates: set[str] = set()
        self.carried: set[str] = set()

    def add(self, number: int, event: Mapping[str, Any], mapper: Any, leaves: Sequence[int]) -> None:
        """Take note of an event: which of the expected keys it is, how many there have to be, and what its date is."""
        self.events.append(number)
        source = event["partition_key"]
        counts, needed = _waits(mapper, self.key, source)
        for leaf in leaves:
            self.needed[leaf] = needed
            self.arrived.setdefault(leaf, set()).update([source] if counts else [])
        self.dates |= _date(mapper, self.key)
        carried = _carried(mapper, event)
        if carried:
            self.carried.add(f"{event['timestamp']} {_iso(carried)}")

    def answer(self, dag_id: str, definition: str, request: Mapping[str, Any]) -> dict[str, Any]:
        unique = _digest(request["id"], self.key)
        return {
            "key": self.key,
            "item": f"{dag_id} {definition} {self.key}",
            "run_id": f"asset_triggered__{request['timestamp']}_{unique}",
            "events": self.events,
            "dates": sorted(self.dates),
            "carried": sorted(self.carried),
            "update": self._update(),
        }

    def _update(self) -> dict[str, Any]:
        """Return what is added to the item; a set that would be empty is left out, since DynamoDB has none."""
        sets = {f"arrived{leaf}": keys for leaf, keys in self.arrived.items()}
        sets |= {"dates": self.dates, "carried": self.carried}
        given = {name: {"SS": sorted(values)} for name, values in sets.items() if values}
        numbers = {f"needed{leaf}": {"N": str(number)} for leaf, number in self.needed.items()}
        added = ", ".join([*(f"{name} :{name}" for name in given), "events :events"])
        written = ", ".join(f"{name} = :{name}" for name in numbers)
        return {
            "expression": f"SET {written} ADD {added}",
            "values": {f":{name}": value for name, value in {**given, **numbers}.items()},
        }


def _waits(mapper: Any, key: str, source: str) -> tuple[bool, int]:
    """Return whether a key of an asset counts among those that a run waits for, and how many of these there have to be.

    Without a rollup one event of the asset is enough, and so it is where a policy waits for none of them.
    """
    if not mapper.is_rollup:
        return True, 1
    try:
        expected = mapper.to_upstream(key)
        needed = mapper.wait_policy.needed(len(expected))
        if mapper.wait_policy.is_unreachable(len(expected)):
            log.warning("The run for partition %r can never start: %r", key, mapper.wait_policy)
    except Exception:
        log.exception("A partition mapper cannot tell what the run for partition %r waits for", key)
        return False, NEVER
    return needed <= 0 or source in expected, max(needed, 1)


def _date(mapper: Any, key: str) -> set[str]:
    try:
        date = mapper.to_partition_date(key)
        return {_iso(date)} if date is not None else set()
    except Exception:
        log.exception("A partition mapper cannot tell the date of partition %r", key)
        return {BROKEN}


def _carried(mapper: Any, event: Mapping[str, Any]) -> datetime | None:
    from orkestra_bridge.runtime.rundates import parse_moment

    text = event.get("partition_date")
    try:
        date: datetime | None = mapper.carry_partition_date(parse_moment(text) if text else None)
    except Exception:
        log.exception("A partition mapper cannot carry the date %s on", text)
        return None
    return date


def _iso(moment: datetime) -> str:
    from datetime import timezone

    return moment.astimezone(timezone.utc).isoformat()


def _digest(*parts: str) -> str:
    from hashlib import sha256

    return sha256(json.dumps(parts).encode()).hexdigest()[:8]


def fingerprint(timetable: Any) -> str:
    """Return a short text that changes with the mappers: what arrived for others is forgotten, as in Airflow.

    Source: `airflow.timetables.base.compute_rollup_fingerprint`.
    """
    from importlib import import_module

    leaves = import_module("airflow._impl.partitions").leaves_of(timetable.asset_condition)
    pairs = [(asset.name or "", asset.uri or "") for asset in leaves]
    parts = [[*pair, _described(timetable.get_partition_mapper(name=pair[0], uri=pair[1]))] for pair in pairs]
    return _digest(json.dumps([parts, _described(timetable.default_partition_mapper)]))


def _described(value: Any) -> Any:
    if isinstance(value, (str, int, float, type(None))):
        return value
    if isinstance(value, (list, tuple)):
        return [_described(each) for each in value]
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    kind = type(value).__qualname__
    if type(value).__module__.startswith("pendulum"):
        return [kind, str(getattr(value, "name", value))]
    fields = getattr(value, "__dict__", {})
    return [
        kind,
        {name: _described(fields[name]) for name in sorted(fields) if not name.endswith("_pattern")},
    ]
