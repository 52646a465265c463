"""One Airflow task -> one Task state that invokes the DAG's function.

A failure is caught and leads to the same next state as a success, with `failed` in the ledger: independent
branches go on, and the tasks below decide by their trigger rules, as in Airflow.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from orkestra_bridge.asl.jsonata import expression, lookup
from orkestra_bridge.asl.model import Catcher, PassState, Retrier, State, TaskState
from orkestra_bridge.ir.attributes import is_given
from orkestra_bridge.lowering.functions import OF_DAG, function_arn, function_of
from orkestra_bridge.lowering.payload import SMALLEST_ERROR
from orkestra_bridge.lowering.scope import EXECUTION
from orkestra_bridge.runtime.large import REST_OF_INSTANCE
from orkestra_bridge.runtime.mapping import ROOM_OF_MAPS

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Retry, Task
    from orkestra_bridge.lowering.scope import Plan, Scope

LAMBDA_INVOKE = "arn:aws:states:::lambda:invoke"
FUNCTION = function_arn(OF_DAG)
NEVER_RETRIED = "AirflowFailException"
TIMEOUT_MARGIN = 10
"""Seconds more than the handler has, which enforces execution_timeout itself: a cold start is no work."""
LONGEST_DELAY = 86_400
"""Seconds: Airflow's [core] max_task_retry_delay and the most that MaxDelaySeconds may be useful for."""

SERVICE_ERRORS = Retrier(
    errors=(
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
    ),
    interval=2,
    attempts=6,
    backoff=2.0,
)


SHORTEST_ERROR = 40
SHORTEST_WITH_NOTE = 100
"""Characters of an error, however many instances there are; with room for what says that its callback has been called."""

TRIES = "$states.context.State.RetryCount + 1"


def lower_task(
    plan: Plan, task: Task, scope: Scope, following: str | None, *, tries: str = TRIES
) -> dict[str, State]:
    """Return the states of a task that runs in the function.

    ``following`` is None at the end of a branch; ``tries`` is JSONata for the number of tries, where one fails.
    """
    name = plan.names.of_task[task.task_id]
    last = following is None
    after_failure = following or plan.names.fresh(f"{name} failed")
    called_back = is_given(task.attributes, "on_failure_callback")
    caught = plan.names.fresh(f"{name} on_failure_callback") if called_back else after_failure
    failed = scope.output(
        {task.task_id: failed_entry(plan, scope, task.task_id, tries)}, last=last and not called_back
    )
    states: dict[str, State] = {
        name: TaskState(
            comment=comment_of(task),
            resource=LAMBDA_INVOKE,
            arguments={
                "FunctionName": function_arn(function_of(task)),
                "Payload": payload(scope, task.task_id),
            },
            output=scope.output({task.task_id: "$states.result.Payload"}, last=last),
            next=following,
            timeout=_timeout(task),
            retry=(SERVICE_ERRORS, *retriers(task.retry)),
            catch=(Catcher(errors=("States.ALL",), next=caught, output=failed),),
        )
    }
    if called_back:
        states[caught] = failure_callback(task, scope.after_first(), following, after_failure)
    if last:
        states[after_failure] = PassState(comment="Failed: the branch ends like any other", next=None)
    return states


def failure_callback(task: Task, scope: Scope, following: str | None, after_failure: str) -> TaskState:
    """Return the state that lets the function call on_failure_callback, if it has not done so when the task failed."""
    last = following is None
    entry = lookup(scope.ledger, task.task_id)
    unchanged = scope.output({task.task_id: entry}, last=last)
    return TaskState(
        comment="Only where the function was killed or ran out of time is it still to be called",
        resource=LAMBDA_INVOKE,
        arguments={
            "FunctionName": function_arn(function_of(task)),
            "Payload": {**payload(scope, task.task_id), "callback": "on_failure"},
        },
        output=scope.output({task.task_id: "$states.result.Payload"}, last=last),
        next=following,
        retry=(SERVICE_ERRORS,),
        catch=(Catcher(errors=("States.ALL",), next=after_failure, output=unchanged),),
    )


def retriers(retry: Retry) -> tuple[Retrier, ...]:
    """Return the retriers that stand for Airflow's retries and retry_delay."""
    if retry.attempts < 1:
        return ()
    growing = retry.backoff > 1
    longest = min(retry.max_delay or LONGEST_DELAY, LONGEST_DELAY)
    again = Retrier(
        errors=("States.ALL",),
        interval=max(1, math.ceil(retry.delay)),
        attempts=retry.attempts,
        backoff=retry.backoff if growing else 1.0,
        max_delay=max(math.ceil(longest), math.ceil(retry.delay) + 1) if growing else None,
    )
    return (Retrier(errors=(NEVER_RETRIED,), attempts=0), again)


def failed_entry(plan: Plan, scope: Scope, task_id: str, tries: str = TRIES) -> str:
    """Return JSONata for the entry of a failed task; its readers find more in the error (`runtime/failure.py`)."""
    index = f", 'map_index': {scope.map_index}" if scope.map_index else ""
    cause = f"$substring($states.errorOutput.Cause, 0, {_room_for_error(plan, scope, task_id)})"
    return (
        f"{{'state': 'failed', 'tries': {tries}, 'at': $millis(), "
        "'error': {'type': $states.errorOutput.Error, "
        f"'message': $substringBefore({cause}, '\"stackTrace')}}{index}}}"
    )


def _room_for_error(plan: Plan, scope: Scope, task_id: str) -> str:
    """Return how many characters of an error the ledger has room for, as a number or as JSONata.

    Those of a function that was killed are AWS's, so that nobody but the machine can cut them. The instances of a mapped
    task of unknown length have the share that the function has worked out when it expanded the task.
    """
    task, limit = plan.workflow.task(task_id), plan.workflow.error_limit
    whole = task.mapped_group or task_id
    if scope.map_index is None or whole in plan.distributed or whole not in plan.shares:
        return str(limit)
    entry, rest = lookup(scope.ledger, task_id), REST_OF_INSTANCE + len(task_id)
    share = f"{entry}.share"
    if plan.archives:
        share = f"$floor({ROOM_OF_MAPS // len(plan.shares)} / {entry}.length)"
    least = SHORTEST_WITH_NOTE if is_given(task.attributes, "on_failure_callback") else SHORTEST_ERROR
    if task.container:  # while it runs, the task's place in the ledger says nothing of a share
        least = SMALLEST_ERROR
    return f"$min([{limit}, $max([{least}, {share} - {rest}])])"


def payload(scope: Scope, task_id: str) -> dict[str, Any]:
    """Return what an invocation of the function is told about a task."""
    index = {"map_index": expression(scope.map_index)} if scope.map_index else {}
    return {"task_id": task_id, **index, **run_payload(scope)}


def run_payload(scope: Scope) -> dict[str, Any]:
    """Return what every invocation of the function is told: the run, the execution, and what has finished."""
    context = "$states.context"
    if scope.execution != EXECUTION:
        context = f"{{'Execution': {scope.execution}, 'State': $states.context.State}}"
    return {"ledger": expression(scope.ledger), "context": expression(context)}


def _timeout(task: Task) -> int | None:
    if task.execution_timeout is None:
        return None
    return math.ceil(task.execution_timeout) + TIMEOUT_MARGIN


def comment_of(task: Task) -> str:
    """Return what a person wants to know about the task: its kind, its trigger rule, its place in the source."""
    kind = task.decorator or task.operator
    rule = "" if task.trigger_rule == "all_success" else f", {task.trigger_rule}"
    return f"{kind}{rule} ({task.span.file}:{task.span.line})"
