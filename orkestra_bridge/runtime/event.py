"""What a state machine tells the function, taken apart: the run, the execution, the attempt and the ledger.

A state passes the context object whole: every state of a machine has to say it, and a definition has 1 MB.
Source: AWS Step Functions developer guide, "Accessing execution data from the Context object".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.failure import completed

if TYPE_CHECKING:
    from collections.abc import Mapping


def unpacked(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event with ``run``, ``execution`` and ``attempt`` instead of the context object.

    ``run`` is the run document, ``execution`` has ``id``, ``name`` and ``start_time``, ``attempt`` counts from 0. The
    entries of the ledger are complete; ``waiting`` of a sensor also says when its state was ``entered``. An event
    without context keeps what it has.
    """
    found = {**event, "ledger": _ledger(event.get("ledger"))}
    context = found.pop("context", None)
    if context is None:
        return found
    execution, state = context["Execution"], context.get("State", {})
    if "waiting" in found:
        found["waiting"] = {"entered": state["EnteredTime"], **found["waiting"]}
    return {
        **found,
        "run": execution.get("Input") or {},
        "execution": {
            "id": execution["Id"],
            "name": execution["Name"],
            "start_time": execution["StartTime"],
        },
        "attempt": state.get("RetryCount", 0),
    }


def _ledger(ledger: Mapping[str, Any] | None) -> dict[str, Any]:
    return {task_id: completed(entry) for task_id, entry in (ledger or {}).items()}
