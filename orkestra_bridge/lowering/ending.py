"""The last states: the run's state from the leaves, the DAG's own callbacks, Succeed and Fail."""

from __future__ import annotations

from orkestra_bridge.asl.jsonata import expression
from orkestra_bridge.asl.model import (
    Catcher,
    ChoiceRule,
    ChoiceState,
    FailState,
    State,
    SucceedState,
    TaskState,
)
from orkestra_bridge.ir.attributes import is_given
from orkestra_bridge.lowering.guard import all_states
from orkestra_bridge.lowering.scope import INPUT, Plan, Scope
from orkestra_bridge.lowering.task import FUNCTION, LAMBDA_INVOKE, SERVICE_ERRORS, run_payload

_CALLBACKS = {"on_success_callback": "dag_success", "on_failure_callback": "dag_failure"}
"""The DAG's argument -> what the handler is asked to call (`runtime/callbacks.py`)."""


def lower_ending(plan: Plan, decide: str) -> dict[str, State]:
    """Return the states after the tasks; the first of them is ``decide``."""
    succeeded, failed = (plan.names.fresh(name) for name in ("Succeeded", "Failed"))
    ends: dict[str, State] = {
        succeeded: SucceedState(),
        failed: FailState(error="DagRunFailed", cause="A leaf task of the DAG failed or could not run"),
    }
    callbacks: dict[str, State] = {}
    first = {}
    for attribute, end in (("on_success_callback", succeeded), ("on_failure_callback", failed)):
        first[attribute] = end
        if is_given(plan.workflow.attributes, attribute):
            first[attribute] = plan.names.fresh(attribute)
            callbacks[first[attribute]] = _callback(attribute, end)
    choice = ChoiceState(
        comment="The run has failed if a leaf task is failed or upstream_failed, as in Airflow",
        choices=(ChoiceRule(condition=_failed_leaves(plan), next=first["on_failure_callback"]),),
        default=first["on_success_callback"],
    )
    return {decide: choice, **callbacks, **ends}


def _failed_leaves(plan: Plan) -> str:
    """Return the condition for a failed run (source: airflow/models/dagrun.py, DagRun.update_state)."""
    states = all_states(INPUT, plan.setups.leaves(), plan.mapped)
    return expression(f"($leaves := {states}; 'failed' in $leaves or 'upstream_failed' in $leaves)")


def _callback(attribute: str, end: str) -> TaskState:
    """Return the state that calls a callback of the DAG; whatever becomes of it, the run's state stands."""
    payload = {**run_payload(Scope(ledger=INPUT)), "callback": _CALLBACKS[attribute]}
    ledger = expression(INPUT)
    return TaskState(
        comment=f"The DAG's {attribute}; its failure changes nothing",
        resource=LAMBDA_INVOKE,
        arguments={"FunctionName": FUNCTION, "Payload": payload},
        output=ledger,
        next=end,
        retry=(SERVICE_ERRORS,),
        catch=(Catcher(errors=("States.ALL",), next=end, output=ledger),),
    )
