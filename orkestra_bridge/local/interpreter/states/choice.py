"""Choice: takes the first rule whose condition is true, else the default."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.local.interpreter.failures import NO_CHOICE, QUERY, StatesError
from orkestra_bridge.local.interpreter.finishing import finish

if TYPE_CHECKING:
    from orkestra_bridge.local.interpreter.model import Json
    from orkestra_bridge.local.interpreter.scope import Outcome, Visit


async def run_choice(visit: Visit) -> Outcome:
    """Return where to go on; the fields of the state itself count for the default only.

    Raises StatesError: States.NoChoiceMatched, or States.QueryEvaluationError for a condition that is not a
    boolean.
    """
    for rule in visit.state["Choices"]:
        if _holds(visit, rule["Condition"]):
            return finish(visit, rule, visit.input, rule["Next"])
    if "Default" not in visit.state:
        raise StatesError(NO_CHOICE, f"State '{visit.name}' has no choice that matches and no default.")
    return finish(visit, visit.state, visit.input, visit.state["Default"])


def _holds(visit: Visit, condition: Json) -> bool:
    value = visit.evaluate(condition, "Condition").value
    if not isinstance(value, bool):
        raise StatesError(QUERY, f"The condition '{condition}' gave {value!r}, which is not a boolean.")
    return value
