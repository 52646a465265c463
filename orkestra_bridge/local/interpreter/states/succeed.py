"""Succeed: ends its block well."""

from __future__ import annotations

from orkestra_bridge.local.interpreter.finishing import output
from orkestra_bridge.local.interpreter.scope import Outcome, Visit


async def run_succeed(visit: Visit) -> Outcome:
    """Return the ``Output``, or the input as it came, and no next state."""
    return Outcome(output(visit, visit.state, visit.input), None)
