"""The last steps that most state types share: Assign, Output, Next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.local.interpreter.scope import Outcome, Visit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.local.interpreter.document import Document
    from orkestra_bridge.local.interpreter.model import Json


def assigned(visit: Visit, fields: Mapping[str, Json], **states: Document) -> Mapping[str, Json]:
    """Return the values of the variables that ``Assign`` names, computed with those from before."""
    values: Mapping[str, Json] = {}
    if "Assign" in fields:
        values = visit.evaluate(fields["Assign"], "Assign", **states).value
    return values


def output(visit: Visit, fields: Mapping[str, Json], default: Document, **states: Document) -> Document:
    """Return what ``Output`` gives, or the default where there is no such field."""
    return visit.evaluate(fields["Output"], "Output", **states) if "Output" in fields else default


def finish(
    visit: Visit, fields: Mapping[str, Json], default: Document, following: str | None, **states: Document
) -> Outcome:
    """Return the outcome that ``fields`` describe: of a state, of a choice rule or of a catcher.

    ``Output`` does not see what ``Assign`` sets at the same time (AWS: "Passing data between states with
    variables").
    """
    values = assigned(visit, fields, **states)
    result = output(visit, fields, default, **states)
    visit.scope.assign(values)
    return Outcome(result, following)
