"""Plays given outcomes on the second interpreter, as `simulate` does on ours; without durations, for it has no clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto_engine import run_with_moto
from simulate import Played

from orkestra_bridge.ir.serialize import to_document
from orkestra_bridge.local.interpreter import StatesError
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.lowering.part import part_arn
from orkestra_bridge.lowering.parts import AWS
from orkestra_bridge.runtime.event import unpacked
from orkestra_bridge.runtime.verdict import verdict_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.lowering.cutting import Weight


def play_on_moto(
    workflow: Workflow, outcomes: Mapping[str, str] | None = None, *, limit: Weight = AWS
) -> Played:
    """Run the workflow's machines on moto's interpreter; tasks of which nobody says how they end succeed.

    The states are those of the tasks whose function was called, and of all tasks if the run succeeded.
    """
    lowered = lower(workflow, "token", limit)
    document = to_document(workflow)
    played = Played(status="")

    def invoke(payload: Any) -> dict[str, Any]:
        payload = unpacked(payload)
        task_id = payload["task_id"]
        verdict = verdict_of(task_id, document, payload["ledger"])
        runs = verdict.decision == "run"
        played.calls.append(task_id)
        played.states[task_id] = state = (
            (outcomes or {}).get(task_id, "success") if runs else verdict.decision
        )
        if state == "failed":
            raise StatesError("ValueError", '{"errorMessage": "meant to fail"}')
        return {"state": state, "tries": 1} if runs else verdict.entry()

    machines = {part_arn(number): part for number, part in enumerate(lowered.parts.values(), start=1)}
    ended = run_with_moto(lowered.definition, {}, invoke, machines=machines)
    played.status = ended.status
    if ended.status == "SUCCEEDED":
        played.states.update((task_id, entry["state"]) for task_id, entry in ended.output.items())
    return played
