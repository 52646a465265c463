"""Whether a task runs, by what the ledger says about the tasks before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.errors import RuntimeSetupError
from orkestra_bridge.runtime.trigger_rules import Decision, constrained_by_setups, decide

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Verdict = Decision


def verdict_of(task_id: str, workflow: Mapping[str, Any], ledger: Mapping[str, Any]) -> Verdict:
    """Return what becomes of a task, by skips, setups and its trigger rule, in Airflow's order.

    Raises:
        RuntimeSetupError: If the workflow lacks the task, or the ledger one of its direct upstream tasks.
    """
    tasks: dict[str, Any] = {task["task_id"]: task for task in workflow["tasks"]}
    if task_id not in tasks:
        raise RuntimeSetupError(
            f"the package has no task {task_id!r}; it was built for another state machine"
        )
    if any(task_id in entry.get("skip", ()) for entry in ledger.values()):
        return "skipped"
    task = tasks[task_id]
    if not task.get("is_teardown"):
        verdict = constrained_by_setups(_states(_relevant_setups(task_id, tasks), ledger, task_id))
        if verdict != "run":
            return verdict
    upstream = task["upstream"]
    setups = [name for name in upstream if tasks[name].get("is_setup")]
    states = _states(upstream, ledger, task_id)
    return decide(task["trigger_rule"], states, setups=_states(setups, ledger, task_id))


def _states(task_ids: Iterable[str], ledger: Mapping[str, Any], task_id: str) -> list[str]:
    missing = sorted(name for name in task_ids if name not in ledger)
    if missing:
        raise RuntimeSetupError(
            f"the ledger of task {task_id!r} lacks its upstream tasks {', '.join(missing)}"
        )
    return [ledger[name]["state"] for name in task_ids]


def _relevant_setups(task_id: str, tasks: Mapping[str, Any]) -> list[str]:
    """Return the setups that this task needs: upstream of it, and without teardown or with one downstream of it.

    Source: `BaseOperator.get_upstreams_only_setups`.
    """
    if not any(task.get("is_setup") for task in tasks.values()):
        return []
    downstream: dict[str, list[str]] = {name: [] for name in tasks}
    for name, task in tasks.items():
        for before in task["upstream"]:
            downstream[before].append(name)
    after = _reachable(task_id, downstream)
    setups = []
    for name in sorted(_reachable(task_id, {name: task["upstream"] for name, task in tasks.items()})):
        teardowns = [other for other in downstream[name] if tasks[other].get("is_teardown")]
        if tasks[name].get("is_setup") and (not teardowns or any(other in after for other in teardowns)):
            setups.append(name)
    return setups


def _reachable(start: str, edges: Mapping[str, Iterable[str]]) -> set[str]:
    found: set[str] = set()
    todo = list(edges[start])
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(edges[name])
    return found
