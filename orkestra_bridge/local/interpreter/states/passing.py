"""Pass: computes its output, calls nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.local.interpreter.finishing import finish

if TYPE_CHECKING:
    from orkestra_bridge.local.interpreter.scope import Outcome, Visit


async def run_pass(visit: Visit) -> Outcome:
    """Return the ``Output``, or the input as it came."""
    return finish(visit, visit.state, visit.input, visit.state.get("Next"))
