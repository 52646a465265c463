"""Whether a task runs, by what the ledger says about the tasks before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.errors import RuntimeSetupError
from orkestra_bridge.runtime.mapping import by_expansion, instances_of, skipped_by_branch, stricter
from orkestra_bridge.runtime.setups import SetupGraph
from orkestra_bridge.runtime.trigger_rules import (
    ALIASES,
    EARLY_STATES,
    Decision,
    constrained_by_setups,
    decide,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Verdict = Decision


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
    if skipped_by_branch(task, ledger, map_index, major=major_version(workflow)):
        return "skipped"
    if _stopped(task, workflow, ledger):
        return "skipped"
    return stricter(_by_rule(task, workflow, ledger), by_expansion(task, workflow, ledger))


def _stopped(task: Mapping[str, Any], workflow: Mapping[str, Any], ledger: Mapping[str, Any]) -> bool:
    """Return True if the DAG stops at the first failure, and there has been one.

    Airflow then skips everything but teardowns (`_stop_remaining_tasks` in `airflow/models/taskinstance.py`).
    """
    if task.get("is_teardown") or not any(
        each["name"] in ("fail_fast", "fail_stop") and each["value"]
        for each in workflow.get("attributes", ())
    ):
        return False
    return any(entry.get("state") == "failed" for entry in ledger.values())


def _by_rule(task: Mapping[str, Any], workflow: Mapping[str, Any], ledger: Mapping[str, Any]) -> Verdict:
    task_id, rule, upstream = task["task_id"], task["trigger_rule"], task["upstream"]
    # Airflow looks at no other task for these.
    if not upstream or ALIASES.get(rule, rule) == "always":
        return "run"
    graph = SetupGraph.of(workflow["tasks"])
    verdict = constrained_by_setups(_states(graph.needed_by(task_id), ledger, task_id))
    if verdict != "run":
        return verdict
    finished = _finished(rule, upstream, ledger)
    setups = [name for name in finished if name in graph.setups]
    states = _states(finished, ledger, task_id)
    return decide(rule, states, setups=_states(setups, ledger, task_id))


def _finished(rule: str, upstream: Iterable[str], ledger: Mapping[str, Any]) -> Iterable[str]:
    """Return the upstream tasks to look at: all, but where one starts the task early, those that the ledger knows."""
    known = [name for name in upstream if name in ledger]
    starting = EARLY_STATES.get(rule, ())
    early = any(one["state"] in starting for name in known for one in instances_of(ledger[name]))
    return known if early else upstream


def _states(task_ids: Iterable[str], ledger: Mapping[str, Any], task_id: str) -> list[str]:
    missing = sorted(name for name in task_ids if name not in ledger)
    if missing:
        raise RuntimeSetupError(
            f"the ledger of task {task_id!r} lacks its upstream tasks {', '.join(missing)}"
        )
    return [one["state"] for name in task_ids for one in instances_of(ledger[name])]
