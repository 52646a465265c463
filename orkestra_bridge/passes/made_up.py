"""A DAG that was loaded with made-up values shows its graph, and goes no further."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.passes import rules

if TYPE_CHECKING:
    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Workflow

_SHOWN = 8


def about_made_up(workflow: Workflow) -> tuple[Finding, ...]:
    """Return an error for a workflow that would be another one with the real values, none for any other."""
    names = workflow.made_up
    if not names:
        return ()
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (
        rules.MADE_UP.at(
            workflow.span,
            f"it was loaded with made-up values for {', '.join(names[:_SHOWN])}{more}; with the real ones it may differ",
            "fill in missing.env in the output folder, and convert with --env-file and without --assume-missing",
            dag_id=workflow.dag_id,
        ),
    )
