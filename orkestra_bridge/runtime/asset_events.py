"""Events of assets (datasets) that a task has updated: one for each task instance that succeeds, with all its outlets.

They are together, so that a DAG that waits for several of them starts once, as in Airflow, which registers them in one
transaction. The function's environment says where events go: ``ORKESTRA_ASSET_EVENTS`` is ``bus:NAME`` on AWS, and the
path of a folder in a local run.

Source: `airflow.models.taskinstance.TaskInstance.register_asset_changes_in_db` and
`airflow.sdk.execution_time.task_runner` (Airflow 3), `TaskInstance._register_dataset_changes` (Airflow 2).
"""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.errors import AssetEventError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orkestra_bridge.runtime.instances import TaskInstance

VARIABLE = "ORKESTRA_ASSET_EVENTS"
SOURCE = "orkestra-bridge.assets"
DETAIL_TYPE = "Asset event"
ENTRY_LIMIT = 262_144
"""Bytes of an entry (API reference of PutEvents)."""
_BUS = "bus:"
_ASSETS = frozenset({"Asset", "AssetNameRef", "AssetUriRef", "AssetRef"})

log = logging.getLogger("airflow.task")


def tell_of_outlets(
    ti: TaskInstance, context: Mapping[str, Any], declared: Sequence[Mapping[str, Any]]
) -> None:
    """Put the event of a task instance that has succeeded where events go; nothing without outlets.

    ``declared`` are the outlets as the manifest has them: with the URIs that Airflow and its providers made of them.

    Raises:
        AssetEventError: If the event cannot be put there, or is too large.
    """
    detail = detail_of(ti, context, declared)
    if detail["events"]:
        put(detail, os.environ)


def detail_of(
    ti: TaskInstance, context: Mapping[str, Any], declared: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the event's detail: the keys of all that was updated, and what is known of each."""
    accessors = context["outlet_events"]
    outlets = [outlet for outlet in ti.task.outlets if _kind(outlet)]
    events: dict[tuple[str, str], dict[str, Any]] = {}
    for number, outlet in enumerate(outlets):
        if _kind(outlet) == "alias":
            continue
        known = declared[number] if len(declared) == len(outlets) else {}
        for event in _of_asset(outlet, known, accessors):
            events[(event["keys"][0], event.get("partition_key", ""))] = event
    for outlet in outlets:
        if _kind(outlet) == "alias":
            for added in accessors[outlet].asset_alias_events:
                _add_through_alias(events, outlet.name, added)
    source = _source(ti)
    found = [{**event, **source} for event in events.values()]
    keys = list(dict.fromkeys(key for event in found for key in event["keys"]))
    return {"keys": keys, "timestamp": source["timestamp"], "events": found}


def _kind(value: Any) -> str | None:
    names = {cls.__name__ for cls in type(value).__mro__ if cls.__module__.startswith("airflow.")}
    if "AssetAlias" in names:
        return "alias"
    return "asset" if names & _ASSETS else None


def _of_asset(outlet: Any, known: Mapping[str, Any], accessors: Any) -> list[dict[str, Any]]:
    accessor = accessors[outlet]
    event = _event(
        known.get("name") or getattr(outlet, "name", "") or "",
        known.get("uri") or getattr(outlet, "uri", "") or "",
        getattr(outlet, "group", ""),
        accessor.extra,
    )
    partitions = sorted(accessor.partition_keys)
    return [{**event, "partition_key": key} for key in partitions] or [event]


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


def _add_through_alias(events: dict[tuple[str, str], dict[str, Any]], alias: str, added: Any) -> None:
    """Add the event that a task made of an asset through an alias; with other extras it is an event of its own."""
    asset, extra = added
    made = _event(getattr(asset, "name", ""), getattr(asset, "uri", ""), getattr(asset, "group", ""), extra)
    place = (made["keys"][0], f"alias {json.dumps(made['extra'], sort_keys=True, default=str)}")
    event = events.setdefault(place, made)
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
        _put_on_bus(text, place[len(_BUS) :])
    else:
        _put_into_folder(text, place)


def _put_on_bus(text: str, bus: str, client: Any = None) -> None:
    """Put an event on a bus of EventBridge."""
    from importlib import import_module

    entry = {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": text, "EventBusName": bus}
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
