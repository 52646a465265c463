"""Workflow -> the whole state machine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import orjson

from orkestra_bridge.asl.check import check
from orkestra_bridge.asl.model import ChoiceState, Machine, inner_machines
from orkestra_bridge.asl.render import to_asl
from orkestra_bridge.lowering.ending import lower_ending
from orkestra_bridge.lowering.limits import check_limits
from orkestra_bridge.lowering.map_limits import check_mapping
from orkestra_bridge.lowering.nesting import lower_region
from orkestra_bridge.lowering.order import setup_graph, waiting_order
from orkestra_bridge.lowering.regions import Decomposition, decompose
from orkestra_bridge.lowering.rules import ADDED_WAIT, DEFINITION_TOO_LARGE, INVALID_MACHINE
from orkestra_bridge.lowering.scope import FIRST_INPUT, Plan, Scope
from orkestra_bridge.lowering.task import FUNCTION
from orkestra_bridge.naming import StateNames
from orkestra_bridge.operators.registry import family_of

if TYPE_CHECKING:
    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Workflow

DEFINITION_LIMIT = 1_048_576
"""Bytes of UTF-8 (AWS: "Step Functions service quotas", state machine definition)."""
_SHOWN_WAITS = 5


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """The product of this stage.

    Attributes:
        definition: The ASL, with ``${TasksFunctionArn}`` to be filled in.
        decomposition: How the graph was nested.
        states: Number of states.
        transitions: State transitions of a run in which every task succeeds.
    """

    definition: dict[str, Any]
    decomposition: Decomposition
    states: int
    transitions: int
    findings: tuple[Finding, ...]


def lower(workflow: Workflow) -> Lowered:
    """Return the state machine of a workflow whose operators all have a family."""
    decomposition = decompose(waiting_order(workflow.tasks))
    machine = _machine(workflow, decomposition)
    definition = to_asl(machine)
    findings = (
        *check_limits(workflow),
        *check_mapping(workflow),
        *_waits(workflow, decomposition),
        *_own_check(workflow, definition),
    )
    return Lowered(
        definition=definition,
        decomposition=decomposition,
        states=_count(machine, _one),
        transitions=_count(machine, _on_success),
        findings=findings,
    )


def _machine(workflow: Workflow, decomposition: Decomposition) -> Machine:
    plan = _plan(workflow)
    decide = plan.names.fresh("Run state")
    body = lower_region(plan, decomposition.region, Scope(ledger=FIRST_INPUT), decide)
    return Machine(
        comment=f"Airflow DAG {workflow.dag_id} ({workflow.span.file})",
        start_at=body.start_at,
        states=body.states | lower_ending(plan, decide),
        timeout=None if workflow.dagrun_timeout is None else max(1, math.ceil(workflow.dagrun_timeout)),
    )


def _plan(workflow: Workflow) -> Plan:
    families = {}
    for task in workflow.tasks:
        family = family_of(task)
        assert family is not None, f"{task.task_id}: operators are checked before lowering"
        families[task.task_id] = family
    order = waiting_order(workflow.tasks)
    skippers = {
        name: tuple(
            other
            for position, other in enumerate(order.names)
            if order.above[index] >> position & 1 and families[other].skips
        )
        for index, name in enumerate(order.names)
    }
    names = StateNames(task.task_id for task in workflow.tasks)
    setups = setup_graph(workflow.tasks)
    return Plan(workflow=workflow, names=names, families=families, skippers=skippers, setups=setups)


def _waits(workflow: Workflow, decomposition: Decomposition) -> list[Finding]:
    found = []
    for wait in decomposition.waits:
        shown = ", ".join(wait.waits_for[:_SHOWN_WAITS])
        more = len(wait.waits_for) - _SHOWN_WAITS
        others = f" and {more} more" if more > 0 else ""
        found.append(
            ADDED_WAIT.at(
                workflow.task(wait.task_id).span,
                f"also waits for {shown}{others}: chains and Parallel states cannot express this graph exactly",
                "nothing if the time does not matter; else split the task or the DAG so that the graph nests",
                dag_id=workflow.dag_id,
                task_id=wait.task_id,
            )
        )
    return found


def _own_check(workflow: Workflow, definition: dict[str, Any]) -> list[Finding]:
    problems = check(definition, placeholders=(FUNCTION,))
    found = [
        INVALID_MACHINE.at(
            workflow.span,
            problem,
            "this is a bug of the translator: please report it",
            dag_id=workflow.dag_id,
        )
        for problem in problems
    ]
    size = len(orjson.dumps(definition))
    if size > DEFINITION_LIMIT:
        found.append(
            DEFINITION_TOO_LARGE.at(
                workflow.span,
                f"the definition has {size:,} bytes, AWS allows {DEFINITION_LIMIT:,}",
                "split the DAG into several that start each other",
                dag_id=workflow.dag_id,
            )
        )
    return found


def _one(_name: str, _machine: Machine) -> int:
    return 1


def _on_success(name: str, machine: Machine) -> int:
    """Count a state once if a run without failures enters it."""
    return int(name in _without_failure(machine))


def _without_failure(machine: Machine) -> frozenset[str]:
    reached: set[str] = set()
    following: str | None = machine.start_at
    while following is not None:
        reached.add(following)
        state = machine.states[following]
        following = state.default if isinstance(state, ChoiceState) else getattr(state, "next", None)
    return frozenset(reached)


def _count(machine: Machine, weigh: Any) -> int:
    total = 0
    for name, state in machine.states.items():
        total += weigh(name, machine)
        total += sum(_count(inner, weigh) for inner in inner_machines(state))
    return total
