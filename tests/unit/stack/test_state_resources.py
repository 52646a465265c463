"""The tables for what tasks store: there for DAGs that use one, and open to nobody else."""

from __future__ import annotations

from typing import Any

from stacks import ACKNOWLEDGED, diagnosed, stack
from workflows import a_task

from orkestra_bridge.ir.model import AssetCondition, ContextRead, SourceSpan
from orkestra_bridge.stack.check import check_template
from orkestra_bridge.stack.states import shared_template

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


ORDERS, PRICES = (
    AssetCondition(kind="asset", name=name, uri=f"s3://shop/{name}") for name in ("orders", "a$b")
)
ALIAS = AssetCondition(kind="alias", name="some")
LEADING = "dynamodb:LeadingKeys"


def with_assets(*keys: str) -> Json:
    return template_of(*keys, inlets=(ORDERS, ALIAS), outlets=(PRICES, ORDERS))


def test_dags_share_a_table_for_assets_and_each_may_use_its_own_ones() -> None:
    template = with_assets("asset_state_store")
    assert diagnosed(template) <= ACKNOWLEDGED
    assert check_template(template) == ()
    assert template["Parameters"]["AssetStateTable"]["Default"] == "orkestra-bridge-asset-state"
    assert variables(template)["ORKESTRA_ASSET_STATE"] == {"Fn::Sub": "dynamodb:${AssetStateTable}"}
    allowed = statements(template)["KeepAssetState"]
    place = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${AssetStateTable}"
    assert allowed["Resource"] == [{"Fn::Sub": place}]
    assert allowed["Condition"] == {"ForAllValues:StringEquals": {LEADING: ["name a${$}b", "name orders"]}}
    assert "KeepTaskState" not in statements(template)
    assert "TaskStateTable" not in template["Resources"]


def test_other_dags_with_assets_have_nothing_to_do_with_it() -> None:
    template = with_assets("task_state_store")
    assert "AssetStateTable" not in template["Parameters"]
    assert "KeepAssetState" not in statements(template)
    assert "ORKESTRA_ASSET_STATE" not in variables(template)


def test_a_policy_names_as_many_assets_as_it_has_room_for() -> None:
    many = tuple(AssetCondition(kind="asset", name=f"s3://shop/{'x' * 80}/{n}") for n in range(60))
    template = template_of("asset_state_store", inlets=many)
    assert "Condition" not in statements(template)["KeepAssetState"]
    fewer = template_of("asset_state_store", inlets=many[:40])
    assert len(statements(fewer)["KeepAssetState"]["Condition"]["ForAllValues:StringEquals"][LEADING]) == 40


def test_the_shared_table_has_a_template_of_its_own_and_stays() -> None:
    template = shared_template()
    assert diagnosed(template) <= ACKNOWLEDGED
    assert check_template(template) == ()
    table = template["Resources"]["Table"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert table["Properties"]["TableName"] == {"Ref": "AssetStateTable"}
