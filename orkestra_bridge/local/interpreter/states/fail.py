"""Fail: ends its block with an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from orkestra_bridge.local.interpreter.failures import StatesError

if TYPE_CHECKING:
    from orkestra_bridge.local.interpreter.scope import Visit


async def run_fail(visit: Visit) -> NoReturn:
    """Raise StatesError with the state's ``Error`` and ``Cause``."""
    error = visit.evaluate(visit.state.get("Error", ""), "Error").value
    cause = visit.evaluate(visit.state.get("Cause", ""), "Cause").value
    raise StatesError(str(error), str(cause))
