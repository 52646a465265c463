"""The tables for what tasks store: there for DAGs that use one, and open to nobody else."""

from __future__ import annotations

from typing import Any

from stacks import ACKNOWLEDGED, diagnosed, stack
from workflows import a_task

from orkestra_bridge.ir.model import ContextRead, SourceSpan
from orkestra_bridge.stack.check import check_template

Json = dict[str, Any]
RESUMABLE = "airflow.sdk.bases.resumablejobmixin.ResumableJobMixin"
BEFORE_3_3 = "airflow.providers.common.compat._resumable_job_mixin.ResumableJobMixin"


def reads(*keys: str) -> tuple[ContextRead, ...]:
    return tuple(ContextRead(key=key, span=SourceSpan("etl.py", 7), task_id="t") for key in keys)


def template_of(*keys: str, **task: Any) -> Json:
    return stack(layer=False, tasks=(a_task("t", **task),), context_reads=reads(*keys)).template


def statements(template: Json, role: str = "TasksFunctionRole") -> dict[str, Json]:
    policy = template["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"]
    return {each["Sid"]: each for each in policy["Statement"]}


def variables(template: Json) -> Json:
    found: Json = template["Resources"]["TasksFunction"]["Properties"]["Environment"]["Variables"]
    return found


def test_the_template_is_valid() -> None:
    template = template_of("task_state_store")
    assert diagnosed(template) <= ACKNOWLEDGED
    assert check_template(template) == ()


def test_a_dag_that_stores_something_has_a_table_of_its_own() -> None:
    template = template_of("task_state_store")
    table = template["Resources"]["TaskStateTable"]["Properties"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert table["Tags"] == [{"Key": "orkestra-bridge:dag-id", "Value": "etl.daily"}]
    assert variables(template)["ORKESTRA_TASK_STATE"] == {"Fn::Sub": "dynamodb:${TaskStateTable}"}
    allowed = statements(template)["KeepTaskState"]
    assert allowed["Resource"] == [{"Fn::GetAtt": ["TaskStateTable", "Arn"]}]
    assert allowed["Action"] == [f"dynamodb:{verb}" for verb in ("DeleteItem", "GetItem", "PutItem", "Query")]


def test_other_dags_have_none_and_may_use_none() -> None:
    for template in (template_of(), template_of(bases=(BEFORE_3_3,))):
        assert "TaskStateTable" not in template["Resources"]
        assert "KeepTaskState" not in statements(template)
        assert "ORKESTRA_TASK_STATE" not in variables(template)


def test_resumable_operators_have_one_as_well() -> None:
    template = template_of(bases=("shop.Job", RESUMABLE))
    assert "TaskStateTable" in template["Resources"]
    assert "KeepTaskState" in statements(template)
