"""Whether Airflow tries a task again, and how long it waits before."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.runtime.instances import TaskInstance

log = logging.getLogger("airflow.task")

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
    from hashlib import sha1

    try:
        least = max(1, math.ceil(delay * backoff ** (ti.try_number - 1)))
    except OverflowError:
        least = int(LONGEST_DELAY)
    text = f"{ti.dag_id}#{ti.task_id}#{ti.logical_date}#{ti.try_number}"
    digest = int(sha1(text.encode(), usedforsecurity=False).hexdigest(), 16)
    longest = min(LONGEST_DELAY, float(retry.get("max_delay") or LONGEST_DELAY))
    return min(float(least + digest % least), longest)


def decided(task: Any, error: BaseException, ti: TaskInstance, context: Any) -> tuple[bool, float | None]:
    """Return what the task's retry_policy says about a failure: is it the last one, and the seconds until another try.

    None are the seconds that `retry_delay` gives. A policy that fails says nothing (Airflow 3.3's task runner,
    `_evaluate_retry_policy`).
    """
    policy = getattr(task, "retry_policy", None)
    if policy is None:
        return False, None
    try:
        decision = policy.evaluate(
            exception=error, try_number=ti.try_number, max_tries=ti.max_tries, context=context
        )
        if decision.reason:
            log.info("Retry policy decision: %s (%s)", decision.action.value, decision.reason)
        delay = decision.retry_delay if decision.action.value == "retry" else None
        return decision.action.value == "fail", None if delay is None else delay.total_seconds()
    except Exception:
        log.exception("Retry policy evaluation failed, falling back to default behaviour")
        return False, None
