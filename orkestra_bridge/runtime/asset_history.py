"""Past events of assets: what `inlet_events` finds of them.

A DAG that reads them has a table of its own (`stack/asset_history.py`), into which a state machine puts each event that a
rule of EventBridge hears of; a local run has one folder for all DAGs. A run may begin before the events that start it
have been put there, and a task may follow another one that has just made one: so the events of the run are added, and
what tasks of the DAG update is put there by themselves as well, under the same keys.

Source: `airflow/api_fastapi/execution_api/routes/asset_events.py`.
"""

from __future__ import annotations

import json
import logging
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.context_keys import ASSET_HISTORY
from orkestra_bridge.runtime.errors import StateStorageError
from orkestra_bridge.runtime.tables import table_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

KEPT_DAYS = 400
"""Days for which an event is kept."""
IDENTITY = ("timestamp", "source_run_id", "source_task_id", "source_map_index", "partition_key")
"""What an item's key is made of, before the number of the event among those of a task instance."""
_LAST = "~"
"""Greater than what follows a moment in a key."""

log = logging.getLogger("airflow.task")


def record(detail: Mapping[str, Any]) -> None:
    """Keep the events of a task instance, if there is a table for them; one that cannot be kept is logged."""
    table = table_of(ASSET_HISTORY)
    if table is None:
        return
    expires = time.time() + KEPT_DAYS * 86_400
    try:
        for number, event in enumerate(detail["events"]):
            for key in event["keys"]:
                table.write(key, item_key(event, number), json.dumps(event, sort_keys=True), expires)
    except StateStorageError:
        log.exception("The event is not in the history of its assets")


def item_key(event: Mapping[str, Any], number: int) -> str:
    """Return the key of an event's item, as the state machine makes it: in the order of their moments."""
    parts = (event.get(name) for name in IDENTITY)
    return "#".join([*("" if part is None else str(part) for part in parts), str(number)])


def events_of(
    keys: Iterable[str],
    of_run: Sequence[Mapping[str, Any]],
    *,
    after: Any = None,
    before: Any = None,
    ascending: bool = True,
    limit: int | None = None,
) -> list[Mapping[str, Any]]:
    """Return the events that have one of the keys, between two moments (both included), by moment.

    Raises:
        StateStorageError: If nobody keeps them here, or they cannot be read.
        ValueError: If a moment is none.
    """
    table = table_of(ASSET_HISTORY)
    if table is None:
        raise StateStorageError(
            "past events of assets are not kept here, for nothing of the DAG's is known to read inlet_events: "
            "look at triggering_asset_events"
        )
    wanted = list(keys)
    first, last = _moment(after), _moment(before)
    low = first.isoformat()[:19] if first else ""
    high = f"{last.isoformat()[:19]}{_LAST}" if last else ""
    kept = [json.loads(text) for key in wanted for _, text in table.entries(key, low, high)]
    added = [event for event in of_run if any(key in event["keys"] for key in wanted)]
    found = {_identity(event): event for event in (*kept, *added)}
    moments = {name: _moment(event["timestamp"]) for name, event in found.items()}
    between = [
        name
        for name, moment in moments.items()
        if moment and (first is None or moment >= first) and (last is None or moment <= last)
    ]
    order = sorted(between, key=lambda name: (moments[name], name), reverse=not ascending)
    return [found[name] for name in (order[:limit] if limit else order)]


def _identity(event: Mapping[str, Any]) -> str:
    """Return what two items about one event have in common."""
    own = {name: event.get(name) for name in (*IDENTITY, "source_dag_id", "uri", "name", "extra")}
    return json.dumps(own, sort_keys=True)


def _moment(value: Any) -> datetime | None:
    """Return a moment in UTC, None for None; raises ValueError for a text that is none."""
    if value is None:
        return None
    moment: datetime = (
        value if isinstance(value, datetime) else datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    )
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
