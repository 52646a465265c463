"""Names of executions: the same run always has the same name, so that others can find it and AWS starts it once.

Execution names have at most 80 characters: letters, digits, ``-`` and ``_`` (API reference of StartExecution).
"""

from __future__ import annotations

import re
from datetime import timezone
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.rundates import Ticks

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

NAME_LIMIT = 80
DIGEST_LENGTH = 8
_OTHERS = r"[^A-Za-z0-9_-]"


def shorten(name: str, limit: int) -> str:
    """Return the name itself if it fits, else its beginning and a digest of the whole."""
    if len(name) <= limit:
        return name
    return _with_digest(name, name, limit)


def _with_digest(name: str, of: str, limit: int) -> str:
    from hashlib import sha256

    digest = sha256(of.encode()).hexdigest()[:DIGEST_LENGTH]
    return f"{name[: limit - DIGEST_LENGTH - 1]}-{digest}"


def execution_name(run_id: str) -> str:
    """Return the execution name for a run id."""
    return shorten(re.sub(_OTHERS, "_", run_id), NAME_LIMIT)


def machine_name(dag_id: str) -> str:
    """Return the name of a DAG's state machine: its id, with a digest where AWS does not take all of its characters.

    Without the digest `a.b` and `a_b` would be one machine, and so would all ids of one length in Cyrillic.
    """
    plain = re.sub(_OTHERS, "_", dag_id)
    return shorten(dag_id, NAME_LIMIT) if plain == dag_id else _with_digest(plain, dag_id, NAME_LIMIT)


def names_for_date(logical_date: datetime, schedule: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names that the run of a DAG for a logical date may have, the schedule's first.

    A scheduled run is named by the moment at which it starts, as EventBridge Scheduler writes it: the end of its data
    interval; that of a partitioned DAG has no logical date. A manual or triggered run is named by its logical date.
    ``schedule`` is that of the other DAG.
    """
    moment = logical_date.astimezone(timezone.utc)
    manual = execution_name(f"manual__{moment.isoformat()}")
    if schedule.get("partitions"):
        return (manual,)
    ticks = Ticks(schedule)
    start = ticks.after(moment) if ticks.has_interval else moment
    scheduled = start.replace(microsecond=0, tzinfo=None).isoformat() + "Z"
    return execution_name(f"scheduled__{scheduled}"), manual
