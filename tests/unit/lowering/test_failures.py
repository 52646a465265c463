"""What the ledger says about a failed task."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from workflows import a_task, a_workflow

from orkestra_bridge.local.interpreter import StatesError, TaskCall, VirtualClock, execute
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.runtime.failure import PUSHED_BEFORE_FAILURE, completed

if TYPE_CHECKING:
    from orkestra_bridge.local.interpreter import Event

PUSHED = {"rows": [1, "grün"], "it's": '"quoted"'}
NOTE = PUSHED_BEFORE_FAILURE + base64.b64encode(json.dumps(PUSHED).encode()).decode() + "]"


def entry_after(cause: str) -> dict[str, Any]:
    """Return the ledger entry of a task whose invocation fails with this cause, as its readers see it."""
    entries: list[dict[str, Any]] = []

    async def fail(_call: TaskCall) -> Any:
        raise StatesError("ValueError", cause)

    def hear(event: Event) -> None:
        output = event.details.get("output")
        if event.type.endswith("StateExited") and isinstance(output, dict) and "a" in output:
            entries.append(output["a"])

    definition = lower(a_workflow(a_task("a"), a_task("b", "a", trigger_rule="all_done"))).definition
    clock = VirtualClock()
    clock.run(execute(definition, {}, tasks=fail, clock=clock, on_event=hear))
    return completed(entries[0])


def test_xcoms_pushed_before_a_failure_are_kept() -> None:
    cause = json.dumps({"errorMessage": f"no{NOTE}", "errorType": "ValueError", "stackTrace": ["x"] * 3})
    entry = entry_after(cause)
    assert (entry["state"], entry["tries"], entry["error"]["type"]) == ("failed", 1, "ValueError")
    assert entry["xcom"] == PUSHED


def test_the_stack_trace_is_left_to_the_log() -> None:
    cause = json.dumps({"errorMessage": "no", "errorType": "ValueError", "stackTrace": ["line\n"] * 99})
    assert entry_after(cause)["error"]["message"] == '{"errorMessage": "no", "errorType": "ValueError", '


def test_all_instances_of_a_mapped_task_are_completed() -> None:
    one = {"state": "failed", "tries": 1, "error": {"type": "E", "message": f"no{NOTE}"}, "map_index": 0}
    two = {"state": "success", "tries": 1, "map_index": 1}
    assert completed({"instances": [one, two]}) == {"instances": [{**one, "xcom": PUSHED}, two]}


@pytest.mark.parametrize(
    "cause", ["", "no JSON", json.dumps({"errorMessage": "no"}), f"cut off {NOTE[:-3]}", f"cut {NOTE[:24]}"]
)
def test_a_cause_without_xcoms_or_cut_off_is_just_a_failure(cause: str) -> None:
    entry = entry_after(cause)
    assert entry["state"] == "failed"
    assert "xcom" not in entry
