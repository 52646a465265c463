"""Roles with no more rights than their service needs.

A ``*`` stands only where AWS has no narrower resource; the reason is written next to it, as metadata of the
role. Source: AWS, "Service Authorization Reference" and "Step Functions: IAM policies for logging and X-Ray".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

METADATA_KEY = "orkestra-bridge"

_LOG_DELIVERY = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)
_SEND_TRACES = ("xray:PutTelemetryRecords", "xray:PutTraceSegments")
_SAMPLING = ("xray:GetSamplingRules", "xray:GetSamplingTargets")
_LOG_REASON = "CloudWatch Logs' delivery actions have no resource types: AWS accepts nothing but *"
_LOGIN_REASON = "a token for ECR is for the whole registry: AWS accepts nothing but *"
_TRACE_REASON = "X-Ray's write and sampling actions have no resource types: AWS accepts nothing but *"

_NAMED = 16
"""State machines that a role names one by one."""

Json = dict[str, Any]


def allow(sid: str, actions: tuple[str, ...], *resources: Any) -> Json:
    """Return a statement that allows the actions on these resources."""
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}


def own_machines(parts: Sequence[str]) -> list[Json]:
    """Return the ARNs of state machines of the DAG: its own for an empty name, or one of a part.

    They are written in full: a reference to a machine would make the role wait for it, and it waits for its role.
    """
    return [_own("stateMachine", part) for part in _short(parts)]


def own_map_runs(parts: Sequence[str]) -> list[Json]:
    """Return the ARNs of such state machines as the executions that their distributed Maps start have them.

    They have the label of a Map behind the machine's name, as their executions' ARNs have.
    """
    return [_own("stateMachine", part, "/*") for part in _short(parts)]


def own_executions(parts: Sequence[str], *, labelled: bool = False) -> list[Json]:
    """Return the ARNs of all executions of such state machines; ``labelled`` of those that distributed Maps start."""
    return [_own("execution", part, "/*" if labelled else ":*") for part in _short(parts)]


def _own(kind: str, part: str, rest: str = "") -> Json:
    name = f"-{part}" if part else ""
    place = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}"
    return {"Fn::Sub": f"{place}:{kind}:${{StateMachineName}}{name}{rest}"}


def _short(parts: Sequence[str]) -> Sequence[str]:
    """Return the names, or one for all parts if there are many: the policies of a role have 10,240 characters in all."""
    if len(parts) <= _NAMED:
        return parts
    return [*(part for part in parts if not part), "part-*"]


def log_delivery() -> Json:
    """Return what a state machine needs to send its log; Step Functions does it through log deliveries."""
    return allow("LogDelivery", _LOG_DELIVERY, "*")


def tracing(*, sampling: bool) -> Json:
    """Return what X-Ray tracing needs; Lambda samples by itself, Step Functions asks for the rules."""
    return allow("Tracing", (*(_SAMPLING if sampling else ()), *_SEND_TRACES), "*")


def role(service: str, statements: list[Json], *, own_account_only: bool, managed: Any = None) -> Json:
    """Return a role that a service of AWS may assume.

    ``own_account_only`` keeps other accounts from using the service as their deputy; ``managed`` is a list of
    managed policies or an intrinsic function that gives one.
    """
    trust: Json = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    if own_account_only:
        trust["Condition"] = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    policy = {
        "PolicyName": "work",
        "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
    }
    properties: Json = {
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
        "Policies": [policy],
    }
    if managed is not None:
        properties["ManagedPolicyArns"] = managed
    resource: Json = {"Type": "AWS::IAM::Role", "Properties": properties}
    reasons = _reasons(statements)
    if reasons:
        resource["Metadata"] = {METADATA_KEY: {"stars": reasons}}
    return resource


def _reasons(statements: list[Json]) -> Json:
    """Return why each statement with a ``*`` has it, by Sid."""
    known = {"LogDelivery": _LOG_REASON, "Tracing": _TRACE_REASON, "LogInToRegistry": _LOGIN_REASON}
    return {item["Sid"]: known[item["Sid"]] for item in statements if "*" in item["Resource"]}
