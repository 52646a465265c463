"""A trigger rule as JSONata, for tasks that have no handler to evaluate it.

The expression is computed from the same table that the handler uses (`runtime/trigger_rules.py`): every verdict depends
only on which states occur among the upstream tasks, so the table is a function of at most 15 sets, and a decision tree
over "does this state occur?" says the same in JSONata.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, combinations
from typing import TYPE_CHECKING, final

from orkestra_bridge.asl.jsonata import lookup, text
from orkestra_bridge.runtime.trigger_rules import TEARDOWN_RULE, constrained_by_setups, decide

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence

_STATES = ("failed", "upstream_failed", "skipped", "success")
_TESTS = (
    (frozenset({"failed", "upstream_failed"}), "('failed' in $upstream or 'upstream_failed' in $upstream)"),
    (frozenset({"skipped"}), "'skipped' in $upstream"),
    (frozenset({"success"}), "'success' in $upstream"),
    (frozenset({"failed"}), "'failed' in $upstream"),
)
_Table = dict[frozenset[str], str]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What decides whether a task runs.

    Attributes:
        rule: Airflow's trigger rule.
        upstream: Direct upstream task ids.
        setups: Those of them that are setups.
        needed: Setups further up that have to succeed, whatever the rule.
        skippers: Tasks above that may have decided to skip this one.
        mapped: Tasks that may have several instances, whose states all count.
        stops: True if any failure before skips it, as in a DAG that stops at the first one.
    """

    task_id: str
    rule: str
    upstream: tuple[str, ...] = ()
    setups: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    skippers: tuple[str, ...] = ()
    mapped: frozenset[str] = frozenset()
    stops: bool = False


def state_expression(guard: Guard, base: str) -> str:
    """Return JSONata for the state that a task without work of its own ends in; ``base`` is JSONata for the ledger."""
    observed = guard.setups if guard.rule == TEARDOWN_RULE else guard.upstream
    states = all_states(base, observed, guard.mapped)
    verdict = _decided(lambda seen: decide(guard.rule, seen, setups=seen), states, text("success"))
    if guard.needed and guard.upstream and guard.rule != "always":
        states = all_states(base, guard.needed, guard.mapped)
        verdict = _decided(constrained_by_setups, states, verdict)
    chosen = [f"{text(guard.task_id)} in {lookup(base, skipper)}.skip" for skipper in guard.skippers]
    if guard.stops and guard.upstream:
        chosen.append(f"'failed' in {base}.*.state")
    return f"({' or '.join(chosen)}) ? 'skipped' : {verdict}" if chosen else verdict


def all_states(base: str, tasks: Iterable[str], mapped: Container[str]) -> str:
    """Return JSONata for the array of the states of tasks; nothing if there is no task.

    Of a mapped task the ledger holds one state for the whole, if it was never expanded, or one for each instance.
    """
    found = []
    for task_id in tasks:
        entry = lookup(base, task_id)
        found += [f"{entry}.state", *([f"{entry}.instances.state"] if task_id in mapped else [])]
    return f"[{', '.join(found)}]" if found else ""


def _decided(decision: Callable[[Sequence[str]], str], states: str, run: str) -> str:
    """Return JSONata for what the states lead to, with ``run`` where the task runs."""
    if not states:
        return run
    verdict = _tree(_table(decision, run))
    if verdict in (run, text("skipped"), text("upstream_failed")):
        return verdict
    return f"($upstream := {states}; {verdict})"


def _table(decision: Callable[[Sequence[str]], str], run: str) -> _Table:
    present = chain.from_iterable(combinations(_STATES, size) for size in range(1, len(_STATES) + 1))
    verdicts = {"run": run, "skipped": text("skipped"), "upstream_failed": text("upstream_failed")}
    return {frozenset(states): verdicts[decision(states)] for states in present}


def _tree(table: Mapping[frozenset[str], str]) -> str:
    outcomes = set(table.values())
    if len(outcomes) == 1:
        return outcomes.pop()
    tried = [(_split(table, states), condition) for states, condition in _TESTS]
    useful = [(split, condition) for split, condition in tried if split[0] and split[1]]
    (yes, no), condition = min(useful, key=lambda item: _mixed(item[0][0]) + _mixed(item[0][1]))
    return f"{condition} ? {_tree(yes)} : {_tree(no)}"


def _split(table: Mapping[frozenset[str], str], states: frozenset[str]) -> tuple[_Table, _Table]:
    yes = {present: verdict for present, verdict in table.items() if present & states}
    no = {present: verdict for present, verdict in table.items() if not present & states}
    return yes, no


def _mixed(table: Mapping[frozenset[str], str]) -> int:
    """Count the ways in which a table is still undecided; 0 where one verdict is left."""
    return len(set(table.values())) - 1
