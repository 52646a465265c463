"""Airflow's trigger rules while some upstream tasks are still unfinished: our own reading, checked against Airflow.

Source: `airflow/ti_deps/deps/trigger_rule_dep.py`, `_evaluate_direct_relatives`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FINISHED = ("success", "failed", "skipped", "upstream_failed")


def judge(rule: str, states: Sequence[str], size: int, setups: Sequence[str] = ()) -> str:
    """Return ``wait``, ``queued``, ``skipped`` or ``upstream_failed`` for a task whose upstream is partly finished.

    Args:
        rule: Airflow's trigger rule.
        states: End states of the upstream tasks that have finished.
        size: Number of upstream tasks.
        setups: End states of those that are setups, which only ``all_done_setup_success`` asks for.
    """
    seen = Counter(states)
    good, skipped = seen["success"], seen["skipped"]
    bad = seen["failed"] + seen["upstream_failed"]
    done = len(states) == size
    if size == 0 or rule == "always":
        return "queued"
    at_once = {
        "all_success": (bad and "upstream_failed") or (skipped and "skipped"),
        "all_failed": (good or skipped) and "skipped",
        "one_success": good and "queued",
        "one_failed": bad and "queued",
        "one_done": (good or seen["failed"]) and "queued",
        "none_failed": bad and "upstream_failed",
        "none_failed_min_one_success": bad and "upstream_failed",
        "none_skipped": skipped and "skipped",
        "all_skipped": (good or bad) and "skipped",
        "all_done_min_one_success": skipped and "skipped",
    }.get(rule)
    in_the_end = {
        "one_success": "skipped" if skipped == size else "upstream_failed",
        "one_failed": "skipped",
        "one_done": "skipped",
        "none_failed_min_one_success": "queued" if good else "skipped",
        "all_done_min_one_success": "queued" if good else "upstream_failed",
        "all_done_setup_success": _teardown(setups),
    }
    return str(at_once) if at_once else in_the_end.get(rule, "queued") if done else "wait"


def _teardown(setups: Sequence[str]) -> str:
    if not setups or "success" in setups:
        return "queued"
    return "skipped" if set(setups) == {"skipped"} else "upstream_failed"
