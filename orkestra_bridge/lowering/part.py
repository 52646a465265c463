"""A part of a DAG as a state machine of its own, and the state that runs it.

AWS limits how long the definition of one state machine and the history of one execution may be; a DAG beyond that is cut
into parts (`cutting.py`). The DAG's state machine starts an execution for each, waits for it, and adds what it has added
to the ledger. All tasks see the execution of the whole run: the input of a part has it.

Source: AWS Step Functions developer guide, "Start a new AWS Step Functions state machine from a running execution".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.asl.jsonata import expression, merge, picked
from orkestra_bridge.asl.model import Machine, PassState, Retrier, TaskState
from orkestra_bridge.lowering.liveness import looked_at_later
from orkestra_bridge.lowering.regions import task_ids
from orkestra_bridge.lowering.scope import EXECUTION, INPUT, Plan, Scope
from orkestra_bridge.lowering.task import FUNCTION, LAMBDA_INVOKE, SERVICE_ERRORS, run_payload

if TYPE_CHECKING:
    from collections.abc import Callable

    from orkestra_bridge.lowering.regions import Part, Region

    Body = Callable[[Plan, Region, Scope, str | None], Machine]

START = "arn:aws:states:::states:startExecution.sync:2"
IN_PART = "$states.context.Execution.Input.root"
"""JSONata for the context object's ``Execution`` of the whole run, in a part's state machine."""
_FIRST_LEDGER = "$states.input.ledger"
_SHOWN = 3

# A start that is tried again finds the execution that it has started: name and input are the same.
_AGAIN = Retrier(
    errors=(
        "StepFunctions.ExecutionLimitExceededException",
        "StepFunctions.AWSStepFunctionsException",
        "StepFunctions.SdkClientException",
    ),
    interval=2,
    attempts=6,
    backoff=2.0,
)


def part_name(number: int) -> str:
    """Return what a part is called in file names, and in the name of its state machine behind that of the DAG."""
    return f"part-{number}"


def part_arn(number: int) -> str:
    """Return the text in a definition that stands for the ARN of a part's state machine."""
    return f"${{{part_logical(number)}Arn}}"


def part_logical(number: int) -> str:
    """Return the prefix of the logical ids of a part's resources."""
    return f"Part{number}"


def lower_part(plan: Plan, part: Part, scope: Scope, following: str | None, lower_body: Body) -> TaskState:
    """Return the state that runs a part; its state machine is added to the plan, which may raise that it is too heavy."""
    own = task_ids(part)
    returns = plan.ledger_ids((*own, *plan.joins.imported(own, frozenset(own))))
    plan.parts[part.number] = machine = _machine(plan, part, returns, lower_body)
    plan.weigh(machine)
    return TaskState(
        comment=_tasks(own),
        resource=START,
        arguments={
            "StateMachineArn": part_arn(part.number),
            "Name": expression(f"{scope.execution}.Name"),
            "Input": {
                "root": expression(scope.execution),
                "ledger": expression(scope.ledger),
                "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": expression(f"{EXECUTION}.Id"),
            },
        },
        output=_output(scope, frozenset(returns), last=following is None),
        next=following,
        retry=(_AGAIN,),
    )


def _output(scope: Scope, inner: frozenset[str], *, last: bool) -> str:
    added = "$states.result.Output"
    if not last or scope.returns is None:
        return expression(merge(scope.ledger, added))
    kept = [task_id for task_id in scope.returns if task_id not in inner]
    return expression(merge(picked(scope.ledger, kept), added) if kept else added)


def _machine(plan: Plan, part: Part, returns: tuple[str, ...], lower_body: Body) -> Machine:
    name = plan.names.fresh(f"Part {part.number}: result")
    scope = Scope(ledger=_FIRST_LEDGER, execution=IN_PART)
    body = lower_body(plan, part.region, scope, name)
    result = _put_away(plan, part, returns) if plan.archives else _added(returns)
    workflow = plan.workflow
    return Machine(
        comment=f"Part {part.number} of Airflow DAG {workflow.dag_id} ({workflow.span.file})",
        start_at=body.start_at,
        states={**body.states, name: result},
    )


def _added(returns: tuple[str, ...]) -> PassState:
    return PassState(
        comment="What these tasks have added to the ledger",
        output=expression(picked(INPUT, returns)),
        next=None,
    )


def _put_away(plan: Plan, part: Part, returns: tuple[str, ...]) -> TaskState:
    """Return the state that stores what the tasks left, and goes on with what is looked at later."""
    plan.archived[part.number] = returns
    told = {"part": part.number, "keep": list(looked_at_later(plan, returns))}
    ledger = Scope(ledger=INPUT, execution=IN_PART)
    return TaskState(
        comment="Puts away what these tasks have added to the ledger, but for the states that later ones look at",
        resource=LAMBDA_INVOKE,
        arguments={"FunctionName": FUNCTION, "Payload": {"archive": told, **run_payload(ledger)}},
        output=expression("$states.result.Payload"),
        next=None,
        retry=(SERVICE_ERRORS, Retrier(errors=("States.ALL",), interval=2, attempts=3, backoff=2.0)),
    )


def _tasks(own: tuple[str, ...]) -> str:
    shown = ", ".join(own[:_SHOWN])
    more = f" and {len(own) - _SHOWN} more" if len(own) > _SHOWN else ""
    return f"Runs {shown}{more} in a state machine of their own"
