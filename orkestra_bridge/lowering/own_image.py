"""One task that starts an image of the user's -> the states that run it as it is, with nothing of ours in it.

    prepare   the function decides whether the task runs, and renders its arguments and its environment
    next?     where to go on by what the function has answered: to what follows, to the image, or to another try
    the task  starts the image and waits until it has ended
    outcome   the function makes the task's entry of how it ended, or asks for another try
    wait      for the delay before that; then `outcome` renders the templates anew, as Airflow does for each try

Why `runTask.sync` and no task token: the image knows of none. And `.sync` stops the container where the state's time is
over, or the execution is stopped. It cannot tell exit codes apart, so the function does, and asks for the next try.

Source: AWS Step Functions developer guide, "Run Amazon ECS or Fargate tasks with Step Functions".
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

from orkestra_bridge.asl.jsonata import expression, lookup
from orkestra_bridge.asl.model import (
    Catcher,
    ChoiceRule,
    ChoiceState,
    PassState,
    State,
    TaskState,
    WaitState,
)
from orkestra_bridge.ir.attributes import is_given
from orkestra_bridge.lowering.container import ECS_ERRORS, REFERENCE, run_arguments
from orkestra_bridge.lowering.polling import KILLED
from orkestra_bridge.lowering.scope import INPUT
from orkestra_bridge.lowering.task import (
    FUNCTION,
    LAMBDA_INVOKE,
    SERVICE_ERRORS,
    comment_of,
    failed_entry,
    failure_callback,
    payload,
    retriers,
)
from orkestra_bridge.operators.images import definition_of, image_name

if TYPE_CHECKING:
    from orkestra_bridge.asl.model import Retrier
    from orkestra_bridge.ir.model import Task
    from orkestra_bridge.lowering.scope import Plan, Scope

RUN_AND_WAIT = "arn:aws:states:::ecs:runTask.sync"
START = 180
"""Seconds more than the task itself may take: Fargate has to find room and to pull the image."""


def lower_own_image(
    plan: Plan, name: str, task: Task, scope: Scope, following: str | None
) -> dict[str, State]:
    """Return the states of the task, the first of which is ``name``; ``following`` is None at the end of a branch."""
    later, last = scope.after_first(), following is None
    after = following or plan.names.fresh(f"{task.task_id}: ended")
    called_back = is_given(task.attributes, "on_failure_callback")
    names = _Names(
        own=plan.names.of_task[task.task_id],
        choice=plan.names.fresh(f"{task.task_id}: next?"),
        outcome=plan.names.fresh(f"{task.task_id}: outcome"),
        wait=plan.names.fresh(f"{task.task_id}: wait"),
        after=after,
        failed=plan.names.fresh(f"{task.task_id} on_failure_callback") if called_back else after,
    )
    states: dict[str, State] = {
        name: _prepare(plan, task, scope, names),
        names.choice: _choice(task, names),
        names.own: _run(plan, task, later, names),
        names.outcome: _outcome(plan, task, later, names),
    }
    if task.retry.attempts:
        states[names.wait] = _wait(task, names)
    if called_back:
        states[names.failed] = failure_callback(task, later, following, after)
    if last:
        ended = later.output({task.task_id: lookup(INPUT, task.task_id)}, last=True)
        states[after] = PassState(
            comment=f"{task.task_id} has ended, and its branch with it", output=ended, next=None
        )
    return states


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """The names of a task's states; ``after`` is where it goes on, ``failed`` where it goes on after an error."""

    own: str
    choice: str
    outcome: str
    wait: str
    after: str
    failed: str


def _prepare(plan: Plan, task: Task, scope: Scope, names: _Names) -> TaskState:
    return TaskState(
        comment=f"Decides whether {task.task_id} runs, and renders what its image is started with",
        resource=LAMBDA_INVOKE,
        arguments=_ask(plan, task, scope),
        output=scope.output({task.task_id: "$states.result.Payload"}, last=False),
        next=names.choice,
        retry=_retriers(task),
        catch=(_failed(plan, task, scope, names.failed, "1"),),
    )


def _choice(task: Task, names: _Names) -> ChoiceState:
    entry = lookup(INPUT, task.task_id)
    ways = [ChoiceRule(condition=expression(f"$exists({entry}.state)"), next=names.after)]
    if task.retry.attempts:
        ways.append(ChoiceRule(condition=expression(f"$exists({entry}.container.wait)"), next=names.wait))
    return ChoiceState(choices=tuple(ways), default=names.own, visits=1 + 2 * task.retry.attempts)


def _run(plan: Plan, task: Task, scope: Scope, names: _Names) -> TaskState:
    entry = lookup(INPUT, task.task_id)
    failed = scope.output({task.task_id: _stopped(entry, _error(plan))}, last=False)
    return TaskState(
        comment=f"{comment_of(task)}: the user's image",
        resource=RUN_AND_WAIT,
        arguments=_run_task(plan, task),
        output=scope.output({task.task_id: _stopped(entry, _ENDED)}, last=False),
        next=names.outcome,
        timeout=_timeout(task),
        visits=task.retry.attempts + 1,
        retry=(ECS_ERRORS,),
        catch=(Catcher(errors=("States.ALL",), next=names.outcome, output=failed),),
    )


def _outcome(plan: Plan, task: Task, scope: Scope, names: _Names) -> TaskState:
    attempt = f"{lookup(INPUT, task.task_id)}.container.attempt"
    tries = f"($exists({attempt}) ? {attempt} : 0) + 1"
    again = task.retry.attempts > 0
    return TaskState(
        comment=f"What has become of {task.task_id}" + (", and what its next try is" if again else ""),
        resource=LAMBDA_INVOKE,
        arguments=_ask(plan, task, scope),
        output=scope.output({task.task_id: "$states.result.Payload"}, last=False),
        next=names.choice if again else names.after,
        visits=2 * task.retry.attempts + 1,
        retry=_retriers(task),
        catch=(_failed(plan, task, scope, names.failed, tries),),
    )


def _wait(task: Task, names: _Names) -> WaitState:
    return WaitState(
        comment=f"Until the next try of {task.task_id}",
        seconds=expression(f"{lookup(INPUT, task.task_id)}.container.wait"),
        next=names.outcome,
        visits=task.retry.attempts,
    )


_ENDED = (
    "{'task': $states.result.TaskArn, "
    "'containers': [$states.result.Containers.{'name': Name, 'exit': ExitCode}]}"
)


def _error(plan: Plan) -> str:
    cause = f"$substring($states.errorOutput.Cause, 0, {plan.workflow.error_limit})"
    return f"{{'error': $states.errorOutput.Error, 'cause': {cause}}}"


def _stopped(entry: str, what: str) -> str:
    """Return JSONata for the entry with what is known about the end of the container instead of its start."""
    told = f"{{'attempt': {entry}.container.attempt, 'stopped': {what}}}"
    return f"$merge([{entry}, {{'container': {told}}}])"


def _ask(plan: Plan, task: Task, scope: Scope) -> dict[str, Any]:
    """Return the call of the function; it is told the image where it is named only at deployment."""
    known = definition_of(task).reference is not None
    image = {} if known else {"image": f"${{{image_name(plan.images, task)}{REFERENCE}}}"}
    return {
        "FunctionName": FUNCTION,
        "Payload": {**payload(scope, task.task_id), "container": "image", **image},
    }


def _retriers(task: Task) -> tuple[Retrier, ...]:
    """Return the retriers of the function, which asks for another try by its answer unless it is killed."""
    killed = tuple(replace(again, errors=KILLED) for again in retriers(task.retry) if again.attempts)
    return (SERVICE_ERRORS, *killed)


def _failed(plan: Plan, task: Task, scope: Scope, caught: str, tries: str) -> Catcher:
    failed = scope.output({task.task_id: failed_entry(plan, scope, task.task_id, tries)}, last=False)
    return Catcher(errors=("States.ALL",), next=caught, output=failed)


def _run_task(plan: Plan, task: Task) -> dict[str, Any]:
    assert task.container is not None
    overrides = expression(f"{lookup(INPUT, task.task_id)}.container.overrides")
    return run_arguments(task.container, f"${{{image_name(plan.images, task)}}}", overrides)


def _timeout(task: Task) -> int | None:
    """Return the seconds that the state may take, by execution_timeout and Kubernetes' active_deadline_seconds."""
    limits = [] if task.execution_timeout is None else [task.execution_timeout]
    limits += [
        float(each.value)
        for each in task.attributes
        if each.name == "active_deadline_seconds" and isinstance(each.value, int)
    ]
    return math.ceil(min(limits)) + START if limits else None
