"""Whether a task runs, by what the ledger says about the tasks before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.errors import RuntimeSetupError
from orkestra_bridge.runtime.mapping import instances_of, skipped_by_branch
from orkestra_bridge.runtime.setups import SetupGraph
from orkestra_bridge.runtime.trigger_rules import ALIASES, Decision, constrained_by_setups, decide

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Verdict = Decision


def major_version(workflow: Mapping[str, Any]) -> int:
    """Return the major version of the Airflow that parsed the workflow."""
    return int(workflow.get("airflow_version", "3").split(".", 1)[0])


def verdict_of(
    task_id: str, workflow: Mapping[str, Any], ledger: Mapping[str, Any], *, map_index: int = -1
) -> Verdict:
    """Return what becomes of a task instance, by skips, setups and its trigger rule, in Airflow's order.

    All instances of a mapped upstream task count, each with its own state.

    Raises:
        RuntimeSetupError: If the workflow lacks the task, or the ledger one of its direct upstream tasks.
    """
    tasks: dict[str, Any] = {task["task_id"]: task for task in workflow["tasks"]}
    if task_id not in tasks:
        raise RuntimeSetupError(
            f"the package has no task {task_id!r}; it was built for another state machine"
        )
    task = tasks[task_id]
    if skipped_by_branch(task, ledger, map_index, major=major_version(workflow)):
        return "skipped"
    rule, upstream = task["trigger_rule"], task["upstream"]
    # Airflow looks at no other task for these.
    if not upstream or ALIASES.get(rule, rule) == "always":
        return "run"
    graph = SetupGraph.of(workflow["tasks"])
    verdict = constrained_by_setups(_states(graph.needed_by(task_id), ledger, task_id))
    if verdict != "run":
        return verdict
    setups = [name for name in upstream if name in graph.setups]
    states = _states(upstream, ledger, task_id)
    return decide(rule, states, setups=_states(setups, ledger, task_id))


def _states(task_ids: Iterable[str], ledger: Mapping[str, Any], task_id: str) -> list[str]:
    missing = sorted(name for name in task_ids if name not in ledger)
    if missing:
        raise RuntimeSetupError(
            f"the ledger of task {task_id!r} lacks its upstream tasks {', '.join(missing)}"
        )
    return [one["state"] for name in task_ids for one in instances_of(ledger[name])]
