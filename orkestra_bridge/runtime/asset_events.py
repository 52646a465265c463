"""Events of assets (datasets) that a task has updated: one for each task instance that succeeds, with all its outlets.

They are together, so that a DAG that waits for several of them starts once, as in Airflow, which registers them in one
transaction. Those with a partition key are in events of their own, of another type: in Airflow 3.3 they start partitioned
DAGs alone, and those without start all others (`AssetManager._queue_dagruns`). The function's environment says where
events go: ``ORKESTRA_ASSET_EVENTS`` is ``bus:NAME`` on AWS, and the path of a folder in a local run.

Source: `airflow.models.taskinstance.TaskInstance.register_asset_changes_in_db` and
`airflow.sdk.execution_time.task_runner` (Airflow 3), `TaskInstance._register_dataset_changes` (Airflow 2).
"""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.context_keys import ASSET_HISTORY
from orkestra_bridge.runtime.errors import AssetEventError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orkestra_bridge.runtime.instances import TaskInstance

VARIABLE = "ORKESTRA_ASSET_EVENTS"
SOURCE = "orkestra-bridge.assets"
DETAIL_TYPE = "Asset event"
PARTITIONED_TYPE = "Partitioned asset event"
ENTRY_LIMIT = 262_144
"""Bytes of an entry (API reference of PutEvents)."""
PARTITIONS_LIMIT = 98_304
"""Bytes of an entry with many partitions; a state machine that hears of it has 256 KiB for it and what it makes of it."""
_BUS = "bus:"
_ASSETS = frozenset({"Asset", "AssetNameRef", "AssetUriRef", "AssetRef"})

log = logging.getLogger("airflow.task")


def tell_of_outlets(
    ti: TaskInstance, context: Mapping[str, Any], declared: Sequence[Mapping[str, Any]]
) -> None:
    """Put the events of a task instance that has succeeded where events go; nothing without outlets.

    ``declared`` are the outlets as the manifest has them: with the URIs that Airflow and its providers made of them.

    Raises:
        AssetEventError: If the event cannot be put there, or is too large.
    """
    for detail in details_of(ti, context, declared):
        put(detail, os.environ)
        if os.environ.get(ASSET_HISTORY):
            from orkestra_bridge.runtime.asset_history import record

            record(detail)


def details_of(
    ti: TaskInstance, context: Mapping[str, Any], declared: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the events' details: the keys of all that was updated, and what is known of each.

    One has what has no partition key. What has one is in one more, or in several where there is much of it.
    """
    accessors = context["outlet_events"]
    outlets = [outlet for outlet in ti.task.outlets if kind_of(outlet)]
    events: dict[tuple[str, str], dict[str, Any]] = {}
    for number, outlet in enumerate(outlets):
        if kind_of(outlet) == "alias":
            continue
        known = declared[number] if len(declared) == len(outlets) else {}
        for event in _of_asset(outlet, known, accessors, _partition(ti, ti.dag_run.partition_key)):
            events[(event["keys"][0], event.get("partition_key", ""))] = event
    for outlet in outlets:
        if kind_of(outlet) == "alias":
            for added in accessors[outlet].asset_alias_events:
                _add_through_alias(events, outlet.name, added, _partition(ti, ti.dag_run.partition_key))
    source = _source(ti)
    found = [{**event, **source} for event in events.values()]
    plain = [event for event in found if "partition_key" not in event]
    keyed = _in_parts([event for event in found if "partition_key" in event])
    return [_detail(part, source["timestamp"]) for part in ([plain] if plain else []) + keyed]


def _detail(events: list[dict[str, Any]], timestamp: str) -> dict[str, Any]:
    keys = list(dict.fromkeys(key for event in events for key in event["keys"]))
    return {"keys": keys, "timestamp": timestamp, "events": events}


def _in_parts(events: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Return the events in lists that are short enough, each as long as it may be."""
    parts: list[list[dict[str, Any]]] = []
    room = 0
    for event in events:
        size = len(json.dumps(event, default=str).encode())
        if not parts or size > room:
            parts.append([])
            room = PARTITIONS_LIMIT
        parts[-1].append(event)
        room -= size
    return parts


def _partition(ti: TaskInstance, key: str | None) -> dict[str, Any]:
    """Return what an event says about its partition: its date only where it is the one that the run is about."""
    if key is None:
        return {}
    date = ti.dag_run.partition_date if key == ti.dag_run.partition_key else None
    return {"partition_key": key, **({"partition_date": date.isoformat()} if date else {})}


def kind_of(value: Any) -> str | None:
    """Return ``asset`` for an asset or a reference to one, ``alias`` for an alias, None for anything else."""
    names = {cls.__name__ for cls in type(value).__mro__ if cls.__module__.startswith("airflow.")}
    if "AssetAlias" in names:
        return "alias"
    return "asset" if names & _ASSETS else None


def _of_asset(
    outlet: Any, known: Mapping[str, Any], accessors: Any, partition: Mapping[str, Any]
) -> list[dict[str, Any]]:
    accessor = accessors[outlet]
    event = _event(
        known.get("name") or getattr(outlet, "name", "") or "",
        known.get("uri") or getattr(outlet, "uri", "") or "",
        getattr(outlet, "group", ""),
        accessor.extra,
    )
    own = partition.get("partition_key")
    added = sorted(accessor.partition_keys)
    return [{**event, **(partition if key == own else {"partition_key": key})} for key in added] or [
        {**event, **partition}
    ]


def _event(name: str, uri: str, group: str, extra: Any) -> dict[str, Any]:
    keys = [*([f"uri {uri}"] if uri else []), *([f"name {name}"] if name else [])]
    return {
        "keys": keys,
        "name": name or uri,
        "uri": uri or name,
        "group": group,
        "extra": dict(extra or {}),
        "aliases": [],
    }


def _add_through_alias(
    events: dict[tuple[str, str], dict[str, Any]], alias: str, added: Any, partition: Mapping[str, Any]
) -> None:
    """Add the event that a task made of an asset through an alias; with other extras it is an event of its own."""
    # Airflow itself has an object for what is a pair here.
    asset, extra = added if isinstance(added, tuple) else (added.dest_asset_key, added.extra)
    made = _event(getattr(asset, "name", ""), getattr(asset, "uri", ""), getattr(asset, "group", ""), extra)
    place = (made["keys"][0], f"alias {json.dumps(made['extra'], sort_keys=True, default=str)}")
    event = events.setdefault(place, {**made, **partition})
    if alias not in event["aliases"]:
        event["aliases"].append(alias)
        event["keys"].append(f"alias {alias}")


def _source(ti: TaskInstance) -> dict[str, Any]:
    from datetime import datetime, timezone

    interval = ti.dag_run.interval
    return {
        "timestamp": datetime.now(timezone.utc).isoformat(),
        "source_dag_id": ti.dag_id,
        "source_run_id": ti.run_id,
        "source_task_id": ti.task_id,
        "source_map_index": ti.map_index,
        "data_interval": [moment.isoformat() for moment in interval] if interval else None,
    }


def put(detail: Mapping[str, Any], environment: Mapping[str, str]) -> None:
    """Put an event where the environment says; raises AssetEventError if that cannot be done."""
    try:
        text = json.dumps(detail, sort_keys=True)
    except TypeError as problem:
        raise AssetEventError(f"the extra of an asset event is no JSON: {problem}") from problem
    place = environment.get(VARIABLE)
    if not place:
        log.warning("No event is put for %s: %s is not set", ", ".join(detail["keys"]), VARIABLE)
    elif len(text.encode()) > ENTRY_LIMIT - 1024:
        raise AssetEventError(
            f"the asset event has {len(text.encode())} bytes, EventBridge takes {ENTRY_LIMIT}: keep its extra short"
        )
    elif place.startswith(_BUS):
        _put_on_bus(text, place[len(_BUS) :], type_of(detail))
    else:
        _put_into_folder(text, place)


def type_of(detail: Mapping[str, Any]) -> str:
    """Return the detail type of an event: that of partitioned ones if what it is about has partition keys."""
    keyed = any(event.get("partition_key") for event in detail["events"])
    return PARTITIONED_TYPE if keyed else DETAIL_TYPE


def _put_on_bus(text: str, bus: str, kind: str = DETAIL_TYPE, client: Any = None) -> None:
    """Put an event on a bus of EventBridge."""
    from importlib import import_module

    entry = {"Source": SOURCE, "DetailType": kind, "Detail": text, "EventBusName": bus}
    try:
        client = client or import_module("boto3").client("events")
        (answer,) = client.put_events(Entries=[entry])["Entries"]
    except Exception as problem:
        raise AssetEventError(f"no asset event can be put on the bus {bus}: {problem}") from problem
    if answer.get("ErrorCode"):
        raise AssetEventError(f"the bus {bus} took no asset event: {answer.get('ErrorMessage')}")


def _put_into_folder(text: str, place: str) -> None:
    from pathlib import Path
    from uuid import uuid4

    folder = Path(place)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scratch = folder / f".{uuid4().hex}"
        scratch.write_text(text, encoding="utf-8")
        scratch.rename(folder / f"{scratch.name[1:]}.json")
    except OSError as problem:
        raise AssetEventError(f"{folder} cannot be written: {problem.strerror or problem}") from problem
