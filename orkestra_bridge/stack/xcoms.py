"""The bucket for XComs that are too large for the state data, and what the tasks' function may do with it.

It stays when its stack is deleted, for CloudFormation cannot delete a bucket that has objects, and a stack that cannot be
deleted is worse than a bucket that expires its objects by itself. Whoever wants it gone empties and deletes it by hand.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from orkestra_bridge.lowering import payload
from orkestra_bridge.lowering.join import DAY, LONGEST_RUN
from orkestra_bridge.runtime.storage import VARIABLE
from orkestra_bridge.stack.iam import allow

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Workflow

XCOMS = "XComBucket"
NAME, DAYS = "XComBucketName", "XComRetentionDays"
MAKES_BUCKET = "MakesXComBucket"
KEPT_AFTER_RUN = 35
"""Days for which a run that has failed can be repaired from what it left."""

Json = dict[str, Any]


def may_push(workflow: Workflow) -> bool:
    """Return True if a task of the DAG, or one of its callbacks, can push an XCom of any length."""
    return any(map(payload.may_push, workflow.tasks))


def xcom_resources() -> dict[str, Json]:
    """Return the bucket and its policy, by logical id; neither is made where the user names a bucket."""
    arn = {"Fn::GetAtt": [XCOMS, "Arn"]}
    kept = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
    return {
        XCOMS: {"Type": "AWS::S3::Bucket", "Condition": MAKES_BUCKET, **kept, "Properties": _bucket()},
        f"{XCOMS}Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Condition": MAKES_BUCKET,
            "Properties": {
                "Bucket": {"Ref": XCOMS},
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "OnlyEncryptedConnections",
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "s3:*",
                            "Resource": [arn, {"Fn::Join": ["", [arn, "/*"]]}],
                            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                        }
                    ],
                },
            },
        },
    }


def _bucket() -> Json:
    return {
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
            ]
        },
        "LifecycleConfiguration": {
            "Rules": [{"Id": "Expire", "Status": "Enabled", "ExpirationInDays": {"Ref": DAYS}}]
        },
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        },
    }


def xcom_parameters(workflow: Workflow) -> Json:
    """Return the parameters of the bucket, by name."""
    longest = min(workflow.dagrun_timeout or LONGEST_RUN, LONGEST_RUN)
    return {
        NAME: {
            "Type": "String",
            "Description": "Existing S3 bucket for XComs beyond some kilobytes; empty for one that comes with the stack",
            "Default": "",
            "AllowedPattern": "|[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
        },
        DAYS: {
            "Type": "Number",
            "Description": "Days after which the stack's own bucket deletes XComs; a run must be over by then",
            "Default": math.ceil(longest / DAY) + KEPT_AFTER_RUN,
            "MinValue": 1,
        },
    }


def xcom_condition() -> Json:
    """Return the condition under which the stack makes the bucket."""
    return {MAKES_BUCKET: {"Fn::Equals": [{"Ref": NAME}, ""]}}


def xcom_variable() -> Json:
    """Return the environment variable that tells the function where its XComs are."""
    return {VARIABLE: {"Fn::Join": ["", ["s3://", _name(), "/", {"Ref": "StateMachineName"}]]}}


def xcom_rights() -> list[Json]:
    """Return the statement for the role of a function: objects of its own state machine and no others."""
    own = ["arn:", {"Ref": "AWS::Partition"}, ":s3:::", _name(), "/", {"Ref": "StateMachineName"}, "/*"]
    return [allow("KeepXComs", ("s3:GetObject", "s3:PutObject"), {"Fn::Join": ["", own]})]


def _name() -> Json:
    return {"Fn::If": [MAKES_BUCKET, {"Ref": XCOMS}, {"Ref": NAME}]}
