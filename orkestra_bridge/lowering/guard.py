"""A trigger rule as JSONata, for tasks that have no handler to evaluate it.

The expression is computed from the same table that the handler uses (`runtime/trigger_rules.py`): every verdict depends
only on which states occur among the upstream tasks, so the table is a function of at most 15 sets, and a decision tree
over "does this state occur?" says the same in JSONata.
"""

from __future__ import annotations

from itertools import chain, combinations
from typing import TYPE_CHECKING

from orkestra_bridge.asl.jsonata import lookup, text
from orkestra_bridge.runtime.trigger_rules import decide

if TYPE_CHECKING:
    from collections.abc import Mapping

_STATES = ("failed", "upstream_failed", "skipped", "success")
_TESTS = (
    (frozenset({"failed", "upstream_failed"}), "('failed' in $upstream or 'upstream_failed' in $upstream)"),
    (frozenset({"skipped"}), "'skipped' in $upstream"),
    (frozenset({"success"}), "'success' in $upstream"),
    (frozenset({"failed"}), "'failed' in $upstream"),
)
_Table = dict[frozenset[str], str]


def state_expression(
    rule: str, upstream: tuple[str, ...], skippers: tuple[str, ...], task_id: str, base: str
) -> str:
    """Return JSONata for the state that a task without work of its own ends in.

    Args:
        rule: Airflow's trigger rule.
        upstream: Direct upstream task ids.
        skippers: Tasks above that may have decided to skip this one.
        task_id: The task itself.
        base: JSONata for the ledger.
    """
    verdict = _tree(_table(rule)) if upstream else text("success")
    if "$upstream" in verdict:
        states = ", ".join(f"{lookup(base, parent)}.state" for parent in upstream)
        verdict = f"($upstream := [{states}]; {verdict})"
    if not skippers:
        return verdict
    chosen = " or ".join(f"{text(task_id)} in {lookup(base, skipper)}.skip" for skipper in skippers)
    return f"({chosen}) ? 'skipped' : {verdict}"


def _table(rule: str) -> _Table:
    present = chain.from_iterable(combinations(_STATES, size) for size in range(1, len(_STATES) + 1))
    verdicts = {"run": "success", "skipped": "skipped", "upstream_failed": "upstream_failed"}
    return {frozenset(states): verdicts[decide(rule, states)] for states in present}


def _tree(table: Mapping[frozenset[str], str]) -> str:
    outcomes = set(table.values())
    if len(outcomes) == 1:
        return text(outcomes.pop())
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
