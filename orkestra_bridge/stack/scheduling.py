"""The schedules of EventBridge Scheduler, the launcher they start, the queue of runs that did not start."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from orkestra_bridge.ir.model import ScheduleKind
from orkestra_bridge.stack.assets import asset_resources
from orkestra_bridge.stack.iam import allow, role
from orkestra_bridge.stack.launcher import RUN_INPUT, launcher_definition
from orkestra_bridge.stack.machine import MACHINE, machine_role, state_machine
from orkestra_bridge.stack.queue import QUEUE, queue_resources, send

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.stack.model import ScheduleView

LAUNCHER = "Launcher"
SCHEDULE_ROLE = "ScheduleRole"
HAS_MOMENT = "HasRunOnceAt"

Json = dict[str, Any]


def is_scheduled(view: ScheduleView) -> bool:
    """Return True if the template has a schedule."""
    return bool(view.expressions) or view.kind is ScheduleKind.ONCE or view.assets is not None


def scheduling_resources(workflow: Workflow, view: ScheduleView, function: str) -> dict[str, Json]:
    """Return the resources that start the DAG's runs, by logical id; none if nothing starts it by itself.

    ``function`` is the logical id of the DAG's function.
    """
    if not is_scheduled(view):
        return {}
    times = bool(view.expressions) or view.kind is ScheduleKind.ONCE
    return {
        **(
            {**_schedules(workflow.dag_id, view), SCHEDULE_ROLE: _schedule_role(), **_launcher(view)}
            if times
            else {}
        ),
        **(asset_resources(workflow, view.assets, QUEUE, function) if view.assets else {}),
        **queue_resources(),
    }


def _schedules(dag_id: str, view: ScheduleView) -> dict[str, Json]:
    if view.kind is ScheduleKind.ONCE:
        schedule = _schedule(dag_id, view, {"Fn::Sub": "at(${RunOnceAt})"})
        return {"Schedule": {**schedule, "Condition": HAS_MOMENT}}
    if len(view.expressions) == 1:
        return {"Schedule": _schedule(dag_id, view, view.expressions[0])}
    return {
        f"Schedule{hashlib.sha256(text.encode()).hexdigest()[:8].upper()}": _schedule(dag_id, view, text)
        for text in view.expressions
    }


def _schedule(dag_id: str, view: ScheduleView, expression: Any) -> Json:
    return {
        "Type": "AWS::Scheduler::Schedule",
        "Properties": {
            "Description": f"Starts the runs of the Airflow DAG {dag_id}: {view.text}"[:512],
            "ScheduleExpression": expression,
            "ScheduleExpressionTimezone": view.timezone,
            "State": {"Ref": "ScheduleState"},
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {
                "Arn": {"Ref": LAUNCHER},
                "RoleArn": {"Fn::GetAtt": [SCHEDULE_ROLE, "Arn"]},
                "Input": RUN_INPUT,
                "DeadLetterConfig": {"Arn": {"Fn::GetAtt": [QUEUE, "Arn"]}},
            },
        },
    }


def _schedule_role() -> Json:
    statements = [
        allow("StartLauncher", ("states:StartExecution",), {"Ref": LAUNCHER}),
        send("KeepUndelivered"),
    ]
    return role("scheduler.amazonaws.com", statements, own_account_only=True)


def _launcher(view: ScheduleView) -> dict[str, Json]:
    fill = {"StateMachineArn": {"Ref": MACHINE}, "UndeliveredRunsUrl": {"Ref": QUEUE}}
    statements = [allow("StartRun", ("states:StartExecution",), {"Ref": MACHINE}), send("ReportMissedRun")]
    return {
        LAUNCHER: state_machine("EXPRESS", launcher_definition(view), fill, LAUNCHER),
        f"{LAUNCHER}Role": machine_role(statements),
    }
