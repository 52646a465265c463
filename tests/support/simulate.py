"""What Airflow would do, worked out from the trigger rules alone; and a task runner that plays given outcomes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jsonata  # noqa: F401 - raises the recursion limit when it is imported, which Hypothesis does not want during a test

from orkestra_bridge.ir.serialize import to_document
from orkestra_bridge.local.interpreter import (
    StatesError,
    TaskCall,
    TaskTokens,
    VirtualClock,
    execute,
    millis,
)
from orkestra_bridge.local.services.executions import Executions
from orkestra_bridge.local.services.runner import ServiceTasks
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.lowering.parts import AWS
from orkestra_bridge.runtime.trigger_rules import decide_in_order
from orkestra_bridge.runtime.verdict import PASS, verdict_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.local.interpreter import Event, EventSink, Execution, TaskRunner
    from orkestra_bridge.lowering.cutting import Weight
    from orkestra_bridge.lowering.machine import Lowered
    from orkestra_bridge.options import Joins
    from orkestra_bridge.runtime.verdict import Verdict

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


def expected_states(
    workflow: Workflow, outcomes: Mapping[str, str], ended: Mapping[str, float] | None = None
) -> dict[str, str]:
    """Return the state of each task if the tasks that run end as ``outcomes`` says (default success).

    ``ended`` has the moments at which they end, in seconds; those that are not in it end at once.
    """
    states: dict[str, str] = {}
    moments: dict[str, float] = {}
    for task in workflow.tasks:
        before = [[(moments[parent], states[parent])] for parent in task.upstream]
        decision, moment = decide_in_order(task.trigger_rule, before)
        runs = decision == "run"
        states[task.task_id] = outcomes.get(task.task_id, "success") if runs else decision
        whole = round((ended or {}).get(task.task_id, 0.0) * 1e6) // 1000
        moments[task.task_id] = whole if runs else moment + PASS
    return states


def timeless(value: Any) -> Any:
    """Return the output of a machine without the moments at which tasks ended: two interpreters have two clocks."""
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key != "at"}
    return [timeless(item) for item in value] if isinstance(value, list) else value


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
        if verdict.decision == "run":
            await asyncio.sleep(self._durations.get(task_id, 0.0))
        self._played.ended[task_id] = self._clock.elapsed
        return {"Payload": self._entry(task_id, verdict, payload["context"]["State"]["RetryCount"])}

    def _entry(self, task_id: str, verdict: Verdict, attempt: int) -> dict[str, Any]:
        if verdict.decision != "run":
            return verdict.entry()
        outcome = self._outcomes.get(task_id, "success")
        if outcome == "failed":
            raise StatesError("ValueError", '{"errorMessage": "meant to fail"}')
        now = millis(self._clock.now())
        return {"state": outcome, "tries": attempt + 1, "at": now, **self._skips.get(task_id, {})}


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
