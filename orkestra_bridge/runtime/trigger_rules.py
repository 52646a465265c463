"""Airflow's trigger rules as one table: the states of the direct upstream tasks in, what the task does out.

The same table decides in the handler, in guards and in tests. Source: `airflow/ti_deps/deps/trigger_rule_dep.py`
(`_evaluate_direct_relatives`), whose state-setting block is the same in Airflow 2.7 to 3.3.

Airflow sets `skipped` and `upstream_failed` as soon as one upstream task tells so, before the others have finished. So
what decides is the order in which they finished (`decide_in_order`); of those that finish together, a failure counts
before a skip.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple, final

Decision = Literal["run", "skipped", "upstream_failed"]
History = Sequence[tuple[float, str]]
"""The states in which others have seen a finished task instance, and since when; in order, most have one."""

FINISHED = ("success", "failed", "skipped", "upstream_failed")
BROKEN = ("failed", "upstream_failed")


def _run(_counts: Mapping[str, int]) -> Decision:
    return "run"


def _skip(_counts: Mapping[str, int]) -> Decision:
    return "skipped"


@final
class Rule(NamedTuple):
    """A trigger rule.

    Attributes:
        at_once: What one upstream task in one of these states decides, whatever becomes of the others; the first line
            that applies to what is seen together.
        in_the_end: What is decided once all have finished, by how many ended in which state, and none was in a state
            that decides at once.
    """

    at_once: tuple[tuple[Decision, tuple[str, ...]], ...] = ()
    in_the_end: Callable[[Mapping[str, int]], Decision] = _run


_FAILURE: tuple[Decision, tuple[str, ...]] = ("upstream_failed", BROKEN)
_A_SKIP: tuple[Decision, tuple[str, ...]] = ("skipped", ("skipped",))
_RULES: dict[str, Rule] = {
    "all_success": Rule((_FAILURE, _A_SKIP)),
    "all_failed": Rule((("skipped", ("success", "skipped")),)),
    "all_done": Rule(),
    "all_done_min_one_success": Rule(
        (_A_SKIP,), lambda counts: "run" if counts["success"] else "upstream_failed"
    ),
    "all_skipped": Rule((("skipped", ("success", *BROKEN)),)),
    "always": Rule(),
    "none_failed": Rule((_FAILURE,)),
    "none_failed_min_one_success": Rule(
        (_FAILURE,), lambda counts: "run" if counts["success"] else "skipped"
    ),
    "none_skipped": Rule((_A_SKIP,)),
    "one_done": Rule((("run", ("success", "failed")),), _skip),
    "one_failed": Rule((("run", BROKEN),), _skip),
    "one_success": Rule(
        (("run", ("success",)),), lambda counts: "upstream_failed" if _broken(counts) else "skipped"
    ),
}

EARLY_STATES = {
    name: states for name, rule in _RULES.items() for decision, states in rule.at_once if decision == "run"
}
"""Rules that Airflow fires at the first upstream task in one of these states, while others are not finished."""

# Airflow 2 still takes these names (`airflow/models/baseoperator.py` rewrites them).
ALIASES = {"dummy": "always", "none_failed_or_skipped": "none_failed_min_one_success"}

TEARDOWN_RULE = "all_done_setup_success"
SETUP_CONSTRAINT = "all_success"
"""What setups, direct or not, demand of a task whatever its own rule is (`_evaluate_setup_constraint`)."""

RULES = (*sorted(_RULES), TEARDOWN_RULE)


def rule_of(name: str) -> Rule:
    """Return the rule of this name, but ``all_done_setup_success``; raises ValueError if Airflow has no such rule."""
    name = ALIASES.get(name, name)
    if name not in _RULES:
        raise ValueError(f"unknown trigger rule {name!r}; known are {', '.join(RULES)}")
    return _RULES[name]


def decide(rule: str, states: Sequence[str], *, setups: Sequence[str] = ()) -> Decision:
    """Return what a task does whose direct upstream tasks ended in ``states``, all at the same time.

    Raises:
        ValueError: For a rule that Airflow does not have, or a state that is not a final one.
    """
    ended, of_setups = ([[(0.0, state)] for state in group] for group in (states, setups))
    return decide_in_order(rule, ended, setups=of_setups)[0]


def decide_in_order(
    rule: str, upstream: Sequence[History], *, setups: Sequence[History] = ()
) -> tuple[Decision, float]:
    """Return what a task does, and the moment at which Airflow can tell.

    Args:
        rule: Value of the trigger rule, such as ``all_success``.
        upstream: The direct upstream task instances. Where one of them matches a rule in `EARLY_STATES`, those of the
            finished ones are enough.
        setups: Those of them that belong to setup tasks, read by ``all_done_setup_success`` alone.

    Raises:
        ValueError: For a rule that Airflow does not have, or a state that is not a final one.
    """
    unknown = sorted({state for history in upstream for _, state in history} - set(FINISHED))
    if unknown:
        raise ValueError(f"not the end state of a task: {', '.join(unknown)}")
    if not upstream:
        return "run", 0.0
    complete = max(history[0][0] for history in upstream)
    if rule == TEARDOWN_RULE:
        return _teardown([_state_at(complete, history) for history in setups]), complete
    found = rule_of(rule)
    first = min(_decisive(found, upstream, complete), default=None)
    if first is not None:
        return found.at_once[first[1]][0], first[0]
    return found.in_the_end(Counter(_state_at(complete, history) for history in upstream)), complete


def _decisive(rule: Rule, upstream: Sequence[History], complete: float) -> list[tuple[float, int]]:
    """Return when something was decided at once, with the number of the line that says what."""
    return [
        (moment, line)
        for history in upstream
        for moment, state in history
        for line, (_, states) in enumerate(rule.at_once)
        if state in states and moment <= complete
    ]


def _state_at(moment: float, history: History) -> str:
    return [state for since, state in history if since <= moment][-1]


def _broken(counts: Mapping[str, int]) -> int:
    return sum(counts[state] for state in BROKEN)


def _teardown(setups: Sequence[str]) -> Decision:
    if not setups or "success" in setups:
        return "run"
    return "skipped" if set(setups) == {"skipped"} else "upstream_failed"
