"""Wait: until so many seconds have passed, or until a moment."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING

from orkestra_bridge.local.interpreter.failures import RUNTIME, StatesError
from orkestra_bridge.local.interpreter.finishing import finish

if TYPE_CHECKING:
    from orkestra_bridge.local.interpreter.scope import Outcome, Visit


async def run_wait(visit: Visit) -> Outcome:
    """Return the outcome once the time has come; a moment in the past is no wait at all."""
    await asyncio.sleep(_seconds(visit))
    return finish(visit, visit.state, visit.input, visit.state.get("Next"))


def _seconds(visit: Visit) -> float:
    if "Seconds" in visit.state:
        return visit.number(visit.state["Seconds"], "Seconds")
    moment = visit.evaluate(visit.state["Timestamp"], "Timestamp").value
    try:
        until = datetime.fromisoformat(str(moment).replace("Z", "+00:00"))
        return max(0.0, (until - visit.run.clock.now()).total_seconds())
    except (ValueError, TypeError) as problem:
        message = f"The field 'Timestamp' must be a time with a zone, got {moment!r}."
        raise StatesError(RUNTIME, message) from problem
