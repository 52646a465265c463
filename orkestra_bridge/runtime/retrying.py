"""How long Airflow waits before it tries a task again."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.runtime.instances import TaskInstance

# Seconds: [core] max_task_retry_delay.
LONGEST_DELAY = 86_400.0


def retry_delay(ti: TaskInstance, retry: Mapping[str, Any]) -> float:
    """Return the seconds between the try that has just failed and the next one.

    Exactly `TaskInstance.next_retry_datetime`, its share that depends on the task instance included. ``retry`` is the
    workflow's: ``delay`` in seconds, ``backoff``, ``max_delay``.
    """
    delay, backoff = float(retry.get("delay", 300.0)), float(retry.get("backoff", 1.0))
    if backoff <= 1:
        return delay
    try:
        least = max(1, math.ceil(delay * backoff ** (ti.try_number - 1)))
    except OverflowError:
        least = int(LONGEST_DELAY)
    text = f"{ti.dag_id}#{ti.task_id}#{ti.logical_date}#{ti.try_number}"
    digest = int(hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), 16)
    longest = min(LONGEST_DELAY, float(retry.get("max_delay") or LONGEST_DELAY))
    return min(float(least + digest % least), longest)
