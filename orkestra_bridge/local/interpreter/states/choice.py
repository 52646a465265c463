"""Choice: takes the first rule whose condition is true, else the default."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.local.interpreter.failures import NO_CHOICE, QUERY, StatesError
from orkestra_bridge.local.interpreter.finishing import assign, output
from orkestra_bridge.local.interpreter.scope import Outcome, Visit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.local.interpreter.model import Json


async def run_choice(visit: Visit) -> Outcome:
    """Return where to go on; the fields of the state itself count for the default only.

    Raises StatesError: States.NoChoiceMatched, or States.QueryEvaluationError for a condition that is not a
    boolean.
    """
    for rule in visit.state["Choices"]:
        if _holds(visit, rule["Condition"]):
            return _taken(visit, rule, rule["Next"])
    if "Default" not in visit.state:
        raise StatesError(NO_CHOICE, f"State '{visit.name}' has no choice that matches and no default.")
    return _taken(visit, visit.state, visit.state["Default"])


def _holds(visit: Visit, condition: Json) -> bool:
    value = visit.evaluate(condition, "Condition").value
    if not isinstance(value, bool):
        raise StatesError(QUERY, f"The condition '{condition}' gave {value!r}, which is not a boolean.")
    return value


def _taken(visit: Visit, fields: Mapping[str, Json], following: str) -> Outcome:
    assign(visit, fields)
    return Outcome(output(visit, fields, visit.input), following)
