"""What is said about state machines that are near AWS's limits, or beyond them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.lowering.rules import (
    CUT_INTO_PARTS,
    DEFINITION_TOO_LARGE,
    HISTORY_TOO_LONG,
    STATE_DATA_TOO_LARGE,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.lowering.cutting import Weight
    from orkestra_bridge.lowering.parts import Machines, Measured


def check_size(machines: Machines, limit: Weight) -> tuple[Finding, ...]:
    """Return the findings about definitions and histories: that there are parts, and what is beyond a limit."""
    return (*_parts(machines), *(one for each in machines.all for one in _machine(machines, each, limit)))


def _parts(machines: Machines) -> Iterator[Finding]:
    workflow = machines.plan.workflow
    if machines.parts:
        yield CUT_INTO_PARTS.at(
            workflow.span,
            f"{len(workflow.tasks):,} tasks do not fit into one state machine: {len(machines.parts)} parts of the DAG "
            "have their own, and each run starts an execution of each",
            "nothing: tasks wait for no more than before, and all see the run's own execution",
            dag_id=workflow.dag_id,
        )


def _machine(machines: Machines, measured: Measured, limit: Weight) -> Iterator[Finding]:
    workflow, weight = machines.plan.workflow, measured.weight
    which = measured.name or "the DAG's state machine"
    if weight.size > limit.size:
        yield DEFINITION_TOO_LARGE.at(
            workflow.span,
            f"the definition of {which} has {weight.size:,} bytes, AWS allows {limit.size:,}, and it cannot be cut "
            "further",
            "split the DAG into several that start each other",
            dag_id=workflow.dag_id,
        )
    if weight.events > limit.events:
        yield HISTORY_TOO_LONG.at(
            workflow.span,
            f"an execution of {which} may write {weight.events:,} events, its history holds {limit.events:,}, and it "
            "cannot be cut further",
            "map over fewer items or let tasks retry less often, or split the DAG into several",
            dag_id=workflow.dag_id,
        )
    for name, events in measured.children.items():
        if events > limit.events:
            yield HISTORY_TOO_LONG.at(
                workflow.span,
                f"each instance in {name} is an execution that may write {events:,} events, its history holds "
                f"{limit.events:,}",
                "let its tasks retry or look less often, or take tasks out of the group",
                dag_id=workflow.dag_id,
            )
    if weight.data > limit.data:
        yield STATE_DATA_TOO_LARGE.at(
            workflow.span,
            f"what {which} has to remember of its tasks takes up to {weight.data:,} bytes, and state data has room for "
            f"{limit.data:,}",
            "map over fewer items, let fewer tasks meet in one, or split the DAG into several",
            dag_id=workflow.dag_id,
        )
