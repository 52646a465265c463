"""A trigger rule as JSONata, for tasks that have no handler to evaluate it.

The expression is made from the same table that the handler uses (`runtime/trigger_rules.py`). What decides at once is the
earliest upstream task that does; what is decided in the end depends only on which of the other states occur, so that the
table is a function of a few sets, and a decision tree over "does this state occur?" says the same in JSONata.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, combinations
from typing import TYPE_CHECKING, final

from orkestra_bridge.asl.jsonata import lookup, text, texts
from orkestra_bridge.runtime.trigger_rules import FINISHED, SETUP_CONSTRAINT, TEARDOWN_RULE, decide, rule_of
from orkestra_bridge.runtime.verdict import PASS

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence

    from orkestra_bridge.runtime.trigger_rules import Rule

_RUNS = "{'state': 'success', 'tries': 1, 'at': $millis()}"
_NOTHING = "[]"
"""JSONata for no verdict against the task: it counts as false, and disappears where it is appended to something."""
_TESTS = (
    (frozenset({"failed", "upstream_failed"}), "('failed' in $u.state or 'upstream_failed' in $u.state)"),
    (frozenset({"skipped"}), "'skipped' in $u.state"),
    (frozenset({"success"}), "'success' in $u.state"),
    (frozenset({"failed"}), "'failed' in $u.state"),
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
        skippable: Upstream tasks that may have been something else before they were skipped.
        stops: True if any failure before skips it, as in a DAG that stops at the first one.
    """

    task_id: str
    rule: str
    upstream: tuple[str, ...] = ()
    setups: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    skippers: tuple[str, ...] = ()
    mapped: frozenset[str] = frozenset()
    skippable: frozenset[str] = frozenset()
    stops: bool = False


def entry_expression(guard: Guard, base: str) -> str:
    """Return JSONata for the entry of a task without work of its own; ``base`` is JSONata for the ledger."""
    skips = _skips(guard, base)
    verdicts = [(rule, group) for rule, group in _groups(guard) if group]
    if not skips and len(verdicts) < 2:
        return _against(guard, base, *verdicts[0], runs=_RUNS) if verdicts else _RUNS
    found = [_against(guard, base, rule, group, runs=_NOTHING) for rule, group in verdicts]
    first = found[0] if len(found) == 1 else f"($append({', '.join(found)})^(at))[0]"
    run = f"$v ? $v : {_RUNS}"
    if not skips:
        return f"($v := {first}; {run})"
    skipped = "{'state': 'skipped', 'tries': 0, 'at': $t, 'was': $v[at < $t]}"
    came_too_late = "$v.at < $t and $v.state = 'skipped'"
    return (
        f"($v := {first if found else _NOTHING}; $k := {skips}; $t := $min($k.at); "
        f"$exists($t) ? ({came_too_late} ? $v : {skipped}) : {run})"
    )


def all_states(base: str, tasks: Iterable[str], mapped: Container[str]) -> str:
    """Return JSONata for the array of the states of tasks; nothing if there is no task."""
    found = [f"{entry}.state" for task_id in tasks for entry in _instances(base, task_id, mapped)]
    return f"[{', '.join(found)}]" if found else ""


def _instances(base: str, task_id: str, mapped: Container[str]) -> list[str]:
    """Return where the ledger has the states of a task.

    Of a mapped task it holds one state for the whole, if it was never expanded, or one for each instance.
    """
    entry = lookup(base, task_id)
    return [entry, f"{entry}.instances"] if task_id in mapped else [entry]


def _groups(guard: Guard) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the groups of tasks that can tell against the task, each with the rule that is about it."""
    if guard.rule == "always" or not guard.upstream:
        return ()
    return (SETUP_CONSTRAINT, guard.needed), (guard.rule, guard.upstream)


def _skips(guard: Guard, base: str) -> str:
    """Return JSONata for the entries that skip the task; nothing if there can be none."""
    parts = []
    if guard.skippers:
        entries = ", ".join(lookup(base, name) for name in guard.skippers)
        parts.append(f"[{entries}][{text(guard.task_id)} in skip]")
    if guard.stops and guard.upstream:
        parts.append(f"{base}.*[state = 'failed']")
    return parts[0] if len(parts) == 1 else f"$append({', '.join(parts)})" if parts else ""


def _entries(base: str, tasks: Iterable[str], mapped: Container[str], skippable: Container[str] = ()) -> str:
    """Return JSONata for the array of the entries of tasks; nothing if there is no task."""
    found = []
    for task_id in tasks:
        ways = _instances(base, task_id, mapped)
        found += [*ways, *([f"{way}.was" for way in ways] if task_id in skippable else [])]
    return f"[{', '.join(found)}]" if found else ""


def _against(guard: Guard, base: str, rule: str, group: Sequence[str], *, runs: str) -> str:
    """Return JSONata for the entry of a task that one group of tasks keeps from running, else ``runs``."""
    entries = _entries(base, group, guard.mapped, guard.skippable)
    if rule == TEARDOWN_RULE:
        return _of_teardown(guard, base, entries, runs)
    found = rule_of(rule)
    deciding = {state for decision, states in found.at_once for state in states if decision != "run"}
    at_once = tuple(state for state in FINISHED if state in deciding)
    end = _in_the_end(rule, at_once, runs)
    if not at_once:
        return runs if end == runs else f"($u := {entries}; {end})"
    first = f"$d ? {_first(found, at_once)} : {end}"
    those = _condition(at_once, FINISHED)
    if "$u" not in end:
        return f"($d := {entries}[{those}]; $t := $min($d.at); {first})"
    return f"($u := {entries}; $d := $u[{those}]; $t := $min($d.at); {first})"


def _first(rule: Rule, at_once: Sequence[str]) -> str:
    """Return JSONata for what the first of ``$d``, at ``$t``, decide."""
    *before, (decision, _) = rule.at_once
    verdict = text(decision)
    for earlier, states in reversed(before):
        verdict = f"$d[at = $t and {_condition(states, at_once)}] ? {text(earlier)} : {verdict}"
    return _entry(verdict, "$t")


def _in_the_end(rule: str, at_once: Sequence[str], runs: str) -> str:
    """Return JSONata for what all of ``$u`` decide together, where none of them has decided at once."""
    left = [state for state in FINISHED if state not in at_once]
    return _tree(_table(lambda states: decide(rule, states), left, runs))


def _of_teardown(guard: Guard, base: str, entries: str, runs: str) -> str:
    setups = _entries(base, guard.setups, guard.mapped)
    if not setups:
        return runs
    table = _table(lambda states: decide(TEARDOWN_RULE, states, setups=states), FINISHED, runs)
    return f"($e := {entries}; $u := {setups}; {_tree(table).replace('$max($u.at)', '$max($e.at)')})"


def _entry(state: str, moment: str) -> str:
    return f"{{'state': {state}, 'tries': 0, 'at': {moment} + {PASS}}}"


def _condition(states: Iterable[str], among: Iterable[str]) -> str:
    """Return JSONata that is true for entries with these states, given that they have one of the others."""
    wanted = [state for state in among if state in set(states)]
    unwanted = [state for state in among if state not in wanted]
    if len(wanted) == 1:
        return f"state = {text(wanted[0])}"
    return f"state != {text(unwanted[0])}" if len(unwanted) == 1 else f"state in {texts(wanted)}"


def _table(decision: Callable[[Sequence[str]], str], states: Sequence[str], runs: str) -> _Table:
    present = chain.from_iterable(combinations(states, size) for size in range(1, len(states) + 1))
    verdicts = {
        "run": runs,
        **{state: _entry(text(state), "$max($u.at)") for state in ("skipped", "upstream_failed")},
    }
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
