"""What Airflow would do, worked out from the trigger rules alone; and a task runner that plays given outcomes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jsonata  # noqa: F401 - raises the recursion limit when it is imported, which Hypothesis does not want during a test

from orkestra_bridge.ir.serialize import to_document
from orkestra_bridge.local.interpreter import StatesError, TaskCall, TaskTokens, VirtualClock, execute
from orkestra_bridge.local.services.executions import Executions
from orkestra_bridge.local.services.runner import ServiceTasks
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.lowering.parts import AWS
from orkestra_bridge.runtime.trigger_rules import decide
from orkestra_bridge.runtime.verdict import verdict_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.local.interpreter import Event, EventSink, Execution, TaskRunner
    from orkestra_bridge.lowering.cutting import Weight
    from orkestra_bridge.lowering.machine import Lowered
    from orkestra_bridge.options import Joins

WORKED = {"run": "success"}


@dataclass
class Played:
    """A run of a machine: final states, start and end times in virtual seconds, and how the execution ended.

    ``calls`` has the task id of each invocation.
    """

    status: str
    states: dict[str, str] = field(default_factory=dict)
    started: dict[str, float] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)


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
        *,
        outcomes: Mapping[str, str],
        durations: Mapping[str, float],
        skips: Mapping[str, Sequence[str]],
        clock: VirtualClock,
        played: Played,
    ) -> None:
        self._workflow = to_document(workflow)
        self._outcomes = outcomes
        self._durations = durations
        self._skips = {task_id: {"skip": list(ids)} for task_id, ids in skips.items()}
        self._clock = clock
        self._played = played

    async def __call__(self, call: TaskCall) -> Any:
        payload = call.arguments["Payload"]
        task_id = payload["task_id"]
        self._played.calls.append(task_id)
        self._played.started.setdefault(task_id, self._clock.elapsed)
        verdict = verdict_of(task_id, self._workflow, payload["ledger"])
        if verdict == "run":
            await asyncio.sleep(self._durations.get(task_id, 0.0))
        self._played.ended[task_id] = self._clock.elapsed
        return {"Payload": self._entry(task_id, verdict, payload["context"]["State"]["RetryCount"])}

    def _entry(self, task_id: str, verdict: str, attempt: int) -> dict[str, Any]:
        if verdict != "run":
            return {"state": verdict, "tries": 0}
        outcome = self._outcomes.get(task_id, "success")
        if outcome == "failed":
            raise StatesError("ValueError", '{"errorMessage": "meant to fail"}')
        return {"state": outcome, "tries": attempt + 1, **self._skips.get(task_id, {})}


def play(
    workflow: Workflow,
    outcomes: Mapping[str, str] | None = None,
    durations: Mapping[str, float] | None = None,
    *,
    skips: Mapping[str, Sequence[str]] | None = None,
    joins: Joins = "token",
    limit: Weight = AWS,
) -> Played:
    """Run the workflow's machines on a virtual clock; ``skips`` says which tasks a task skips."""
    clock = VirtualClock()
    played = Played(status="")
    player = Player(
        workflow,
        outcomes=outcomes or {},
        durations=durations or {},
        skips=skips or {},
        clock=clock,
        played=played,
    )

    def on_event(event: Event) -> None:
        output = event.details.get("output")
        if event.type.endswith("StateExited") and isinstance(output, dict):
            played.states.update(
                (task_id, entry["state"]) for task_id, entry in output.items() if isinstance(entry, dict)
            )

    lowered = lower(workflow, joins, limit)
    # on a virtual clock, a task that waits for ever would stop the test
    played.status = run_lowered(lowered, player, clock, on_event=on_event, seconds=10**6).status
    return played


def run_lowered(
    lowered: Lowered,
    tasks: TaskRunner,
    clock: VirtualClock,
    data: Any = None,
    *,
    on_event: EventSink = lambda _: None,
    seconds: int | None = None,
) -> Execution:
    """Run a lowered workflow's state machine, and those of its parts when it starts them."""
    tokens = TaskTokens()
    machines = {f"${{Part{number}Arn}}": part for number, part in enumerate(lowered.parts.values(), start=1)}
    executions = Executions(machines, clock=clock, tokens=tokens, on_event=on_event)
    limited = {} if seconds is None else {"TimeoutSeconds": seconds}
    return clock.run(
        execute(
            {**limited, **lowered.definition},
            {} if data is None else data,
            tasks=ServiceTasks(tasks, executions),
            clock=clock,
            on_event=on_event,
            tokens=tokens,
        )
    )
