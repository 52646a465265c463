"""Whether a task runs, by what the ledger says about the tasks before it, in the order in which they ended.

Nothing is asked until all tasks that a task waits for have ended; Airflow may have decided before. So a task that does
not run gets the moment (``at`` in its entry) at which Airflow would have found that out, for the tasks below it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, final

from orkestra_bridge.runtime.errors import RuntimeSetupError
from orkestra_bridge.runtime.mapping import expanded_over, instances_of, skipping_tasks
from orkestra_bridge.runtime.setups import SetupGraph
from orkestra_bridge.runtime.trigger_rules import (
    ALIASES,
    EARLY_STATES,
    SETUP_CONSTRAINT,
    Decision,
    decide_in_order,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orkestra_bridge.runtime.trigger_rules import History

PASS = 0.01
"""Milliseconds that stand for a pass of Airflow's scheduler: what follows from something is seen one pass later.

A moment with two more digits has 15, which is what JSONata's ``$string`` keeps.
"""


@final
class Verdict(NamedTuple):
    """What becomes of a task instance.

    Attributes:
        at: When Airflow can tell, in milliseconds since 1970; of no meaning for a task that runs.
        before: What it was before a task above skipped it, None if it was nothing.
    """

    decision: Decision
    at: float = 0.0
    before: Verdict | None = None

    def entry(self) -> dict[str, Any]:
        """Return the ledger entry of a task that does not run."""
        entry: dict[str, Any] = {"state": self.decision, "tries": 0, "at": self.at}
        if self.before:
            entry["was"] = {"state": self.before.decision, "at": self.before.at}
        return entry


RUN = Verdict("run")


def major_version(workflow: Mapping[str, Any]) -> int:
    """Return the major version of the Airflow that parsed the workflow."""
    return int(workflow.get("airflow_version", "3").split(".", 1)[0])


def verdict_of(
    task_id: str, workflow: Mapping[str, Any], ledger: Mapping[str, Any], *, map_index: int = -1
) -> Verdict:
    """Return what becomes of a task instance, by skips, setups, its trigger rule and what it is expanded over.

    All instances of a mapped upstream task count, each with its own state.

    Raises:
        RuntimeSetupError: If the workflow lacks the task, or the ledger one of its direct upstream tasks without
            which nothing can be decided.
    """
    tasks: dict[str, Any] = {task["task_id"]: task for task in workflow["tasks"]}
    if task_id not in tasks:
        raise RuntimeSetupError(
            f"the package has no task {task_id!r}; it was built for another state machine"
        )
    task = tasks[task_id]
    skipping = skipping_tasks(task, ledger, map_index, major=major_version(workflow))
    skipping += _failures_that_stop(task, workflow, ledger)
    if not skipping:
        return _by_rule(task, workflow, ledger)
    skipped = Verdict("skipped", min(_since(entry) for entry in skipping))
    if any(name not in ledger for name in task["upstream"]):
        return skipped
    # a skip comes over what was upstream_failed already, but others have seen that
    before = _by_rule(task, workflow, ledger)
    if before.decision == "run" or before.at >= skipped.at:
        return skipped
    return Verdict("skipped", skipped.at, before) if before.decision == "upstream_failed" else before


def _failures_that_stop(
    task: Mapping[str, Any], workflow: Mapping[str, Any], ledger: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """Return the entries of failed tasks if the DAG stops at the first failure.

    Airflow then skips everything but teardowns (`_stop_remaining_tasks` in `airflow/models/taskinstance.py`).
    """
    if task.get("is_teardown") or not any(
        each["name"] in ("fail_fast", "fail_stop") and each["value"]
        for each in workflow.get("attributes", ())
    ):
        return []
    return [entry for entry in ledger.values() if entry.get("state") == "failed"]


def _by_rule(task: Mapping[str, Any], workflow: Mapping[str, Any], ledger: Mapping[str, Any]) -> Verdict:
    """Return the first verdict against the task; of those in the same pass, that of setups, then upstream_failed."""
    task_id, rule, upstream = task["task_id"], task["trigger_rule"], task["upstream"]
    sources = [_history(ledger[name]) for name in expanded_over(task, workflow, ledger)]
    found = [(1, decide_in_order("all_success", sources))]
    # Airflow looks at no other task for these.
    if upstream and ALIASES.get(rule, rule) != "always":
        graph = SetupGraph.of(workflow["tasks"])
        needed = _histories(graph.needed_by(task_id), ledger, task_id)
        finished = _finished(rule, upstream, ledger)
        setups = _histories([name for name in finished if name in graph.setups], ledger, task_id)
        found.append((0, decide_in_order(SETUP_CONSTRAINT, needed)))
        found.append((1, decide_in_order(rule, _histories(finished, ledger, task_id), setups=setups)))
    against = [
        (at, rank, decision != "upstream_failed", decision)
        for rank, (decision, at) in found
        if decision != "run"
    ]
    if not against:
        return RUN
    at, _, _, decision = min(against)
    return Verdict(decision, round(at + PASS, 2))


def _finished(rule: str, upstream: Iterable[str], ledger: Mapping[str, Any]) -> Iterable[str]:
    """Return the upstream tasks to look at: all, but where one starts the task early, those that the ledger knows.

    While some of a mapped group have only been expanded, a rule that fires early has nothing against the task: its
    instances look at theirs (`_get_relevant_upstream_map_indexes` in `airflow/ti_deps/deps/trigger_rule_dep.py`).
    """
    known = [name for name in upstream if name in ledger]
    starting = EARLY_STATES.get(rule, ())
    early = any(one["state"] in starting for name in known for one in instances_of(ledger[name]))
    if early:
        return known
    undecided = starting and any("length" in ledger[name] for name in known)
    return () if undecided else upstream


def _histories(task_ids: Iterable[str], ledger: Mapping[str, Any], task_id: str) -> list[History]:
    missing = sorted(name for name in task_ids if name not in ledger)
    if missing:
        raise RuntimeSetupError(
            f"the ledger of task {task_id!r} lacks its upstream tasks {', '.join(missing)}"
        )
    return [_history(one) for name in task_ids for one in instances_of(ledger[name])]


def _history(entry: Mapping[str, Any]) -> History:
    was = entry.get("was")
    now = (_since(entry), entry["state"])
    return [now] if was is None else [(_since(was), was["state"]), now]


def _since(entry: Mapping[str, Any]) -> float:
    """Return when the task ended; an entry that somebody wrote by hand has no time and comes before all others."""
    return float(entry.get("at", 0))
