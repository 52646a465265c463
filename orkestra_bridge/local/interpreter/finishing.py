"""The last steps that most state types share: Assign, Output, Next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.local.interpreter.scope import Outcome, Visit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.local.interpreter.document import Document
    from orkestra_bridge.local.interpreter.model import Json


def assign(visit: Visit, fields: Mapping[str, Json], **states: Document) -> None:
    """Set the variables that ``Assign`` names; all are computed before any is set."""
    if "Assign" in fields:
        visit.scope.assign(visit.evaluate(fields["Assign"], "Assign", **states).value)


def output(visit: Visit, fields: Mapping[str, Json], default: Document, **states: Document) -> Document:
    """Return what ``Output`` gives, or the default where there is no such field."""
    return visit.evaluate(fields["Output"], "Output", **states) if "Output" in fields else default


def onward(visit: Visit, default: Document, **states: Document) -> Outcome:
    """Return the outcome of a state that ends well, having assigned its variables."""
    assign(visit, visit.state, **states)
    return Outcome(output(visit, visit.state, default, **states), visit.state.get("Next"))
