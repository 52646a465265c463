"""What ECS says about a task that has stopped -> the failure of the Airflow task that it was to run.

A container that could not be started or was killed answers nobody. ECS puts an event on EventBridge when one of its tasks
has stopped, with what the task was started with; a rule of the template sends it to the function. Where the container has
answered before, its token is no longer valid, and there is nothing to do.

Source: Amazon ECS developer guide, "Amazon ECS task state change events".
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.handover import CAUSE_LIMIT, TOKEN

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger("orkestra_bridge.stopped")

EVENT_TYPE = "ECS Task State Change"
ERROR = "ECS.TaskStopped"


def is_stop(event: Mapping[str, Any]) -> bool:
    """Return True if the event is from ECS and not from a state machine."""
    return event.get("detail-type") == EVENT_TYPE


def report_stop(event: Mapping[str, Any]) -> dict[str, Any]:
    """Let the task fail for whose token nobody can answer any more; return an empty object."""
    detail = event["detail"]
    token = token_of(detail)
    if token:
        import boto3

        client: Any = boto3.client("stepfunctions")
        gone = (
            client.exceptions.TaskTimedOut,
            client.exceptions.TaskDoesNotExist,
            client.exceptions.InvalidToken,
        )
        try:
            client.send_task_failure(taskToken=token, **failure_of(detail))
        except gone:
            log.info("%s had answered", detail.get("taskArn"))
    return {}


def token_of(detail: Mapping[str, Any]) -> str | None:
    """Return the task token that the task was started with, None if it was started by somebody else."""
    overrides = (detail.get("overrides") or {}).get("containerOverrides") or ()
    given = (pair for each in overrides for pair in each.get("environment") or ())
    return next((str(pair["value"]) for pair in given if pair.get("name") == TOKEN), None)


def failure_of(detail: Mapping[str, Any]) -> dict[str, str]:
    """Return error and cause: why the task stopped, and the exit code and reason of its container."""
    said = [str(detail.get("stoppedReason") or "the container has stopped")]
    for container in detail.get("containers") or ():
        if container.get("exitCode") is not None:
            said.append(f"exit code {container['exitCode']}")
        if container.get("reason"):
            said.append(str(container["reason"]))
    document = {"errorMessage": "; ".join(said), "errorType": ERROR}
    return {"error": ERROR, "cause": json.dumps(document)[:CAUSE_LIMIT]}
