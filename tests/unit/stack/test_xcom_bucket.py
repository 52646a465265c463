"""The bucket of large XComs: there where a task may push one, and closed to everybody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from stacks import ACKNOWLEDGED, diagnosed, stack
from workflows import a_task

from orkestra_bridge.ir.model import Attribute
from orkestra_bridge.stack.check import check_template

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Task

Json = dict[str, Any]


def template_of(*tasks: Task, **fields: Any) -> Json:
    return stack(layer=False, tasks=tasks or (a_task("a"),), **fields).template


def test_the_template_is_valid() -> None:
    assert diagnosed(template_of()) <= ACKNOWLEDGED
    assert check_template(template_of()) == ()


def test_the_bucket_is_private_encrypted_and_forgets() -> None:
    template = template_of()
    bucket = template["Resources"]["XComBucket"]
    properties = bucket["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    (encryption,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    (rule,) = properties["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", {"Ref": "XComRetentionDays"})
    assert properties["Tags"] == [{"Key": "orkestra-bridge:dag-id", "Value": "etl.daily"}]
    (denied,) = template["Resources"]["XComBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (denied["Effect"], denied["Principal"]) == ("Deny", "*")
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert len(denied["Resource"]) == 2


def test_a_bucket_with_objects_stays_when_its_stack_goes() -> None:
    bucket = template_of()["Resources"]["XComBucket"]
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert "BucketName" not in bucket["Properties"]


@pytest.mark.parametrize(
    ("timeout", "days"), [(None, 400), (3600.0, 36), (90_000.0, 37), (400 * 86_400.0, 400)]
)
def test_objects_outlive_the_longest_run(timeout: float | None, days: int) -> None:
    parameters = template_of(dagrun_timeout=timeout)["Parameters"]
    assert parameters["XComRetentionDays"]["Default"] == days


def test_a_bucket_of_the_user_is_used_as_it_is() -> None:
    template = template_of()
    assert template["Parameters"]["XComBucketName"]["Default"] == ""
    assert template["Conditions"]["MakesXComBucket"] == {"Fn::Equals": [{"Ref": "XComBucketName"}, ""]}
    for name in ("XComBucket", "XComBucketPolicy"):
        assert template["Resources"][name]["Condition"] == "MakesXComBucket"
    function = template["Resources"]["TasksFunction"]["Properties"]
    where = function["Environment"]["Variables"]["ORKESTRA_XCOM_STORE"]
    bucket = {"Fn::If": ["MakesXComBucket", {"Ref": "XComBucket"}, {"Ref": "XComBucketName"}]}
    assert where == {"Fn::Join": ["", ["s3://", bucket, "/", {"Ref": "StateMachineName"}]]}


def test_the_function_may_get_and_put_below_its_prefix() -> None:
    role = template_of()["Resources"]["TasksFunctionRole"]["Properties"]
    statements = {item["Sid"]: item for item in role["Policies"][0]["PolicyDocument"]["Statement"]}
    assert statements["KeepXComs"]["Action"] == ["s3:GetObject", "s3:PutObject"]
    (resource,) = statements["KeepXComs"]["Resource"]
    assert resource["Fn::Join"][1][-3:] == ["/", {"Ref": "StateMachineName"}, "/*"]


SILENT = (Attribute(name="do_xcom_push", value=False),)
TOLD = (*SILENT, Attribute(name="on_failure_callback", value="tell"))


@pytest.mark.parametrize(
    ("task", "bucket"),
    [
        (a_task("t"), True),
        (a_task("t", attributes=SILENT), True),
        (a_task("t", operator="EmptyOperator"), False),
        (a_task("t", operator="EmptyOperator", attributes=TOLD[1:]), False),
        (a_task("t", operator="EmptyOperator", attributes=(Attribute(name="outlets", value=["a"]),)), True),
        (a_task("t", operator="BashOperator"), True),
        (a_task("t", operator="BashOperator", attributes=SILENT), False),
        (a_task("t", operator="BashOperator", attributes=TOLD), True),
    ],
)
def test_there_is_one_where_something_may_be_pushed(task: Task, bucket: bool) -> None:
    template = template_of(a_task("first", operator="EmptyOperator"), task)
    assert ("XComBucket" in template["Resources"]) is bucket
    assert ("XCom" in str(template)) is bucket
    assert check_template(template) == ()
