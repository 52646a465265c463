"""What Airflow would do, worked out from the trigger rules alone; and a task runner that plays given outcomes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orkestra_bridge.local.interpreter import StatesError, TaskCall, VirtualClock, execute
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.runtime.trigger_rules import decide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.local.interpreter import Event

WORKED = {"run": "success"}


@dataclass
class Played:
    """A run of a machine: final states, start and end times in virtual seconds, and how the execution ended."""

    status: str
    states: dict[str, str] = field(default_factory=dict)
    started: dict[str, float] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)


def expected_states(workflow: Workflow, outcomes: Mapping[str, str]) -> dict[str, str]:
    """Return the state of each task if the tasks that run end as ``outcomes`` says (default success)."""
    states: dict[str, str] = {}
    for task in workflow.tasks:
        decision = (
            decide(task.trigger_rule, [states[parent] for parent in task.upstream])
            if task.upstream
            else "run"
        )
        states[task.task_id] = outcomes.get(task.task_id, "success") if decision == "run" else decision
    return states


def expected_run(workflow: Workflow, states: Mapping[str, str]) -> str:
    """Return SUCCEEDED or FAILED, decided by the leaves."""
    parents = {parent for task in workflow.tasks for parent in task.upstream}
    leaves = [task.task_id for task in workflow.tasks if task.task_id not in parents]
    return "FAILED" if any(states[leaf] in ("failed", "upstream_failed") for leaf in leaves) else "SUCCEEDED"


class Player:
    """Answers Lambda tasks as the handler would, with given outcomes and durations on the machine's clock."""

    def __init__(
        self,
        workflow: Workflow,
        outcomes: Mapping[str, str],
        durations: Mapping[str, float],
        clock: VirtualClock,
        played: Played,
    ) -> None:
        self._tasks = {task.task_id: task for task in workflow.tasks}
        self._outcomes = outcomes
        self._durations = durations
        self._clock = clock
        self._played = played

    async def __call__(self, call: TaskCall) -> Any:
        payload = call.arguments["Payload"]
        task = self._tasks[payload["task_id"]]
        self._played.started.setdefault(task.task_id, self._clock.elapsed)
        await asyncio.sleep(self._durations.get(task.task_id, 0.0))
        self._played.ended[task.task_id] = self._clock.elapsed
        return {"Payload": self._entry(task.task_id, payload)}

    def _entry(self, task_id: str, payload: Any) -> dict[str, Any]:
        task, ledger = self._tasks[task_id], payload["ledger"]
        states = [ledger[parent]["state"] for parent in task.upstream]
        decision = decide(task.trigger_rule, states) if states else "run"
        if decision != "run":
            return {"state": decision, "tries": 0}
        outcome = self._outcomes.get(task_id, "success")
        if outcome == "failed":
            raise StatesError("ValueError", '{"errorMessage": "meant to fail"}')
        return {"state": outcome, "tries": payload["attempt"] + 1}


def play(
    workflow: Workflow,
    outcomes: Mapping[str, str] | None = None,
    durations: Mapping[str, float] | None = None,
) -> Played:
    """Run the workflow's machine on a virtual clock."""
    clock = VirtualClock()
    played = Played(status="")
    player = Player(workflow, outcomes or {}, durations or {}, clock, played)

    def on_event(event: Event) -> None:
        output = event.details.get("output")
        if event.type.endswith("StateExited") and isinstance(output, dict):
            played.states.update(
                (task_id, entry["state"]) for task_id, entry in output.items() if isinstance(entry, dict)
            )

    execution = clock.run(
        execute(lower(workflow).definition, {}, tasks=player, clock=clock, on_event=on_event)
    )
    played.status = execution.status
    return played
