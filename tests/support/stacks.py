"""Stacks for tests: a small machine, a function, schedules of each kind."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cloudformation_validate import CelEngine, TemplateContent

from orkestra_bridge.ir.model import (
    AssetCondition,
    PartitionedBy,
    Partitions,
    Schedule,
    ScheduleKind,
    SourceSpan,
    Workflow,
)
from orkestra_bridge.ir.serialize import render
from orkestra_bridge.options import Target
from orkestra_bridge.stack.model import FunctionAsset, LayerAsset, Stack
from orkestra_bridge.stack.template import build_stack

DEFINITION: dict[str, Any] = {
    "QueryLanguage": "JSONata",
    "StartAt": "load",
    "States": {
        "load": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": "${TasksFunctionArn}", "Payload": {"task_id": "load"}},
            "Output": "{% $states.result.Payload %}",
            "End": True,
        }
    },
}
FUNCTION = FunctionAsset(
    logical="Tasks",
    key_hash="ab" * 32,
    handler="orkestra_bridge.runtime.handler.handle",
    memory=512,
    timeout=900,
)
LAYER = LayerAsset(key_hash="cd" * 32)
START = "2024-01-01T00:00:00+00:00"
_A, _B, _C = (AssetCondition(kind="asset", name=name, uri=f"s3://bucket/{name}") for name in "abc")
ASSETS = AssetCondition(kind="any", of=(_A, AssetCondition(kind="all", of=(_B, _C))))
SCHEDULES = {
    "none": Schedule(),
    "once": Schedule(kind=ScheduleKind.ONCE, text="@once"),
    "daily": Schedule(kind=ScheduleKind.CRON, expressions=("0 5 * * *",), text="0 5 * * *"),
    "either": Schedule(
        kind=ScheduleKind.CRON, expressions=("0 5 13 * fri",), timezone="Europe/Paris", text="0 5 13 * fri"
    ),
    "rate": Schedule(kind=ScheduleKind.DELTA, seconds=5400, text="1:30:00"),
    "assets": Schedule(kind=ScheduleKind.ASSET, assets=ASSETS, text="a | (b & c)"),
    "asset or time": Schedule(
        kind=ScheduleKind.ASSET, assets=ASSETS.of[0], expressions=("0 5 * * *",), text="0 5 * * * or a"
    ),
    "partitions": Schedule(
        kind=ScheduleKind.ASSET,
        assets=ASSETS,
        text="a | (b & c)",
        partitions=Partitions(by=PartitionedBy.ASSETS, mappers=("RollupMapper",), rollup=True),
    ),
    "period": Schedule(kind=ScheduleKind.DELTA, seconds=5400, data_interval=True, text="1:30:00"),
}


def workflow(schedule: str = "daily", **fields: Any) -> Workflow:
    """Return a workflow without tasks that has one of the schedules."""
    base: dict[str, Any] = {
        "dag_id": "etl.daily",
        "span": SourceSpan("etl.py", 3),
        "airflow_version": "3.0.0",
        "schedule": SCHEDULES[schedule],
        "tasks": (),
        "start_date": START,
    }
    return Workflow(**{**base, **fields})


def stack(schedule: str = "daily", *, layer: bool = True, definition: Any = None, **fields: Any) -> Stack:
    """Return the stack of such a workflow."""
    return build_stack(
        workflow(schedule, **fields), definition or DEFINITION, FUNCTION, LAYER if layer else None, Target()
    )


# the default of TaskPolicyArn is empty, and a condition keeps it from being used
ACKNOWLEDGED = {("WARN", "W1030")}


@lru_cache(maxsize=1)
def _engine() -> CelEngine:
    return CelEngine()


def diagnosed(template: dict[str, Any]) -> set[tuple[str, str]]:
    """Return severity and rule of what cloudformation-validate finds in a template, without mere information."""
    report = _engine().validate_template(TemplateContent(render(template), "template.json"))
    found = {(item.severity.name, item.rule_id) for item in report.diagnostics}
    return {item for item in found if item[0] != "INFO"}


def statements(template: dict[str, Any], role: str) -> dict[str, dict[str, Any]]:
    """Return the statements of a role, which has one policy, by their Sid."""
    policy = template["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"]
    return {item["Sid"]: item for item in policy["Statement"]}
