"""Airflow's trigger rules as one table: the states of the direct upstream tasks in, what the task does out.

The same function decides in the handler, in guards and in tests. Source: `airflow/ti_deps/deps/trigger_rule_dep.py`
(`_evaluate_direct_relatives`), whose state-setting block is the same in Airflow 2.7 to 3.3 once all upstreams have
finished.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Decision = Literal["run", "skipped", "upstream_failed"]

FINISHED = ("success", "failed", "skipped", "upstream_failed")

EARLY_STATES = {
    "one_done": ("success", "failed"),
    "one_failed": ("failed", "upstream_failed"),
    "one_success": ("success",),
}
"""Rules that Airflow fires at the first upstream task in one of these states, while others are not finished."""


def _first_of_failed(states: Mapping[str, int]) -> Decision:
    return "upstream_failed" if _broken(states) else "run"


def _broken(states: Mapping[str, int]) -> int:
    return states["failed"] + states["upstream_failed"]


def _all_success(states: Mapping[str, int]) -> Decision:
    if _broken(states):
        return "upstream_failed"
    return "skipped" if states["skipped"] else "run"


def _one_success(states: Mapping[str, int]) -> Decision:
    if states["success"]:
        return "run"
    return "upstream_failed" if _broken(states) else "skipped"


def _none_failed_min_one_success(states: Mapping[str, int]) -> Decision:
    if _broken(states):
        return "upstream_failed"
    return "run" if states["success"] else "skipped"


def _all_done_min_one_success(states: Mapping[str, int]) -> Decision:
    if states["skipped"]:
        return "skipped"
    return "run" if states["success"] else "upstream_failed"


def _always(_states: Mapping[str, int]) -> Decision:
    return "run"


def _run_if(condition: Callable[[Mapping[str, int]], object]) -> Callable[[Mapping[str, int]], Decision]:
    return lambda states: "run" if condition(states) else "skipped"


_RULES: dict[str, Callable[[Mapping[str, int]], Decision]] = {
    "all_success": _all_success,
    "all_failed": _run_if(lambda states: not states["success"] and not states["skipped"]),
    "all_done": _always,
    "all_done_min_one_success": _all_done_min_one_success,
    "all_skipped": _run_if(lambda states: not states["success"] and not _broken(states)),
    "always": _always,
    "none_failed": _first_of_failed,
    "none_failed_min_one_success": _none_failed_min_one_success,
    "none_skipped": _run_if(lambda states: not states["skipped"]),
    "one_done": _run_if(lambda states: states["success"] or states["failed"]),
    "one_failed": _run_if(_broken),
    "one_success": _one_success,
}

# Airflow 2 still takes these names (`airflow/models/baseoperator.py` rewrites them).
ALIASES = {"dummy": "always", "none_failed_or_skipped": "none_failed_min_one_success"}

TEARDOWN_RULE = "all_done_setup_success"

RULES = (*sorted(_RULES), TEARDOWN_RULE)


def decide(rule: str, states: Sequence[str], *, setups: Sequence[str] = ()) -> Decision:
    """Return what a task does whose direct upstream tasks ended in ``states``.

    Args:
        rule: Value of the trigger rule, such as ``all_success``.
        states: End states of the direct upstream tasks; an empty list means that there is none. Where one of them
            matches a rule in `EARLY_STATES`, those of the finished ones are enough.
        setups: The subset of ``states`` that belongs to setup tasks, read by ``all_done_setup_success`` alone.

    Raises:
        ValueError: For a rule that Airflow does not have, or a state that is not a final one.
    """
    unknown = sorted(set(states) - set(FINISHED))
    if unknown:
        raise ValueError(f"not the end state of a task: {', '.join(unknown)}")
    rule = ALIASES.get(rule, rule)
    if rule == TEARDOWN_RULE:
        return _teardown(setups)
    if rule not in _RULES:
        raise ValueError(f"unknown trigger rule {rule!r}; known are {', '.join(RULES)}")
    return _RULES[rule](Counter(states)) if states else "run"


def constrained_by_setups(setups: Sequence[str]) -> Decision:
    """Return what the setups of a task, direct or not, demand of it whatever its own rule is.

    Airflow lets a task that is no teardown run only if all of them succeeded
    (`TriggerRuleDep._evaluate_setup_constraint`).
    """
    return _all_success(Counter(setups))


def _teardown(setups: Sequence[str]) -> Decision:
    if not setups or "success" in setups:
        return "run"
    return "skipped" if set(setups) == {"skipped"} else "upstream_failed"
