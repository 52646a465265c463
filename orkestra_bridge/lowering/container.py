"""One Airflow task -> the states that run it in a container on Fargate.

    prepare   the function decides by the ledger whether the task runs; if so, it packs what the container has to know
    runs?     goes on with what follows if it does not run: no container is started for that
    the task  starts a container, and waits until it answers for its task token

Why a task token and not `runTask.sync`: a container answers for its token with its ledger entry, or with the error of
its task by name, so that Retry and Catch are those of a task in Lambda; `.sync` knows no more than an exit code. What a
token lacks, notice of a container that never started or was killed, comes from heartbeats and from ECS's own events
(`runtime/stopped.py`).

Source: AWS Step Functions developer guide, "Run Amazon ECS or Fargate tasks with Step Functions".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from orkestra_bridge.asl.jsonata import expression, lookup
from orkestra_bridge.asl.model import (
    Catcher,
    ChoiceRule,
    ChoiceState,
    PassState,
    Retrier,
    State,
    TaskState,
)
from orkestra_bridge.ir.attributes import is_given
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
from orkestra_bridge.operators.images import (
    build_of,
    build_suffix,
    image_logical,
)
from orkestra_bridge.runtime.handover import ATTEMPT, EVENT, TOKEN

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Task
    from orkestra_bridge.ir.places import Container
    from orkestra_bridge.lowering.scope import Plan, Scope

RUN_AND_WAIT = "arn:aws:states:::ecs:runTask.waitForTaskToken"
CLUSTER = "${ContainerCluster}"
DEFINITION = "${ContainerTask}"
SUBNETS = "${ContainerSubnets}"
SECURITY_GROUPS = "${ContainerSecurityGroups}"
PUBLIC_IP = "${ContainerPublicIp}"
PLACE = (CLUSTER, SUBNETS, SECURITY_GROUPS, PUBLIC_IP)
"""What stands in a definition for where containers run, whatever their image is."""
REFERENCE = "Uri"
"""Behind the name of a definition of the user's image: the image itself."""
CONTAINER = "task"
"""The name of the container in its task definition."""

HEARTBEAT = 300
"""Seconds without a sign of life after which a task has failed; the first has to come within them, so they contain the
start of a container. The entry point sends one a minute."""
START = 900
"""Seconds more than the task itself may take, for a container that starts slowly."""

ECS_ERRORS = Retrier(
    errors=("AmazonECS.Unknown", "ECS.ServerException", "ECS.AmazonECSException"),
    interval=15,
    attempts=4,
    backoff=2.0,
)
"""Capacity that is not there, throttling and faults of the service; none of them comes from the task."""


def first_name(plan: Plan, task: Task) -> str:
    """Return the name of the first state of a task in a container."""
    return plan.names.fresh(f"{task.task_id}: prepare")


def lower_in_container(
    plan: Plan, name: str, task: Task, scope: Scope, following: str | None
) -> dict[str, State]:
    """Return the states of the task, the first of which is ``name``; ``following`` is None at the end of a branch."""
    assert task.container is not None
    own, later, last = plan.names.of_task[task.task_id], scope.after_first(), following is None
    choice = plan.names.fresh(f"{task.task_id}: runs?")
    after = following or plan.names.fresh(f"{task.task_id}: ended")
    called_back = is_given(task.attributes, "on_failure_callback") and not task.container.alone
    caught = plan.names.fresh(f"{task.task_id} on_failure_callback") if called_back else after
    states: dict[str, State] = {
        name: TaskState(
            comment=f"Decides whether {task.task_id} runs, before a container is started for it",
            resource=LAMBDA_INVOKE,
            arguments={
                "FunctionName": FUNCTION,
                "Payload": {**payload(scope, task.task_id), "container": "prepare"},
            },
            output=scope.output({task.task_id: "$states.result.Payload"}, last=False),
            next=choice,
            retry=(SERVICE_ERRORS,),
            catch=(_catch(plan, task, scope, caught),),
        ),
        choice: ChoiceState(
            choices=(
                ChoiceRule(condition=expression(f"$exists({lookup(INPUT, task.task_id)}.state)"), next=after),
            ),
            default=own,
        ),
        own: TaskState(
            comment=f"{comment_of(task)}, in a container: {task.container.reason}",
            resource=RUN_AND_WAIT,
            arguments=_run_task(plan, task, task.container),
            output=later.output({task.task_id: "$states.result"}, last=last),
            next=following,
            timeout=None if task.limit is None else max(math.ceil(task.limit) + START, HEARTBEAT + 1),
            heartbeat=HEARTBEAT,
            retry=(ECS_ERRORS, *retriers(task.retry)),
            catch=(_catch(plan, task, later, caught),),
        ),
    }
    if called_back:
        states[caught] = failure_callback(task, later, following, after)
    if last:
        ended = later.output({task.task_id: lookup(INPUT, task.task_id)}, last=True)
        states[after] = PassState(
            comment=f"{task.task_id} did not run or failed; its branch ends", output=ended, next=None
        )
    return states


def _catch(plan: Plan, task: Task, scope: Scope, caught: str) -> Catcher:
    failed = scope.output({task.task_id: failed_entry(plan, scope, task.task_id)}, last=False)
    return Catcher(errors=("States.ALL",), next=caught, output=failed)


def _run_task(plan: Plan, task: Task, container: Container) -> dict[str, Any]:
    event = lookup(INPUT, task.task_id) + ".container.event"
    environment = {
        TOKEN: expression("$states.context.Task.Token"),
        EVENT: expression(event),
        ATTEMPT: expression("$string($states.context.State.RetryCount)"),
    }
    override = {
        "Name": CONTAINER,
        "Environment": [{"Name": key, "Value": value} for key, value in environment.items()],
    }
    suffix = build_suffix(plan.builds, build_of(task))
    return run_arguments(container, f"{DEFINITION[:-1]}{suffix}}}", [override])


def run_arguments(container: Container, definition: str, overrides: Any) -> dict[str, Any]:
    """Return the arguments of RunTask; ``overrides`` are those of its containers."""
    return {
        "Cluster": CLUSTER,
        "TaskDefinition": definition,
        "LaunchType": "FARGATE",
        "NetworkConfiguration": network(),
        "Overrides": {
            "Cpu": str(container.cpu),
            "Memory": str(container.memory),
            "ContainerOverrides": overrides,
        },
    }


def placeholders(plan: Plan) -> tuple[str, ...]:
    """Return what may stand in the definitions of a DAG's machines for what the stack fills in about containers."""
    builds = (f"{DEFINITION[:-1]}{build_suffix(plan.builds, build)}}}" for build in plan.builds)
    numbers = range(len(plan.images))
    own = [f"${{{image_logical(number)}{kind}}}" for number in numbers for kind in ("", REFERENCE)]
    return (*PLACE, *builds, *own)


def network() -> dict[str, Any]:
    """Return where the container is in the network: lists come out of the template as text with commas."""
    return {
        "AwsvpcConfiguration": {
            "Subnets": expression(f"[$split('{SUBNETS}', ',')]"),
            "SecurityGroups": expression(f"[$split('{SECURITY_GROUPS}', ',')[$ != '']]"),
            "AssignPublicIp": PUBLIC_IP,
        }
    }
