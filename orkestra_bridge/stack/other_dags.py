"""What the function of a DAG may do with the state machines of other DAGs, and how it finds them."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from orkestra_bridge.naming import machine_name
from orkestra_bridge.operators.other_dags import other_dags, started_dags
from orkestra_bridge.runtime.executions import MACHINES
from orkestra_bridge.stack.iam import allow

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Workflow

Json = dict[str, Any]

_ARN = "arn:${{AWS::Partition}}:states:${{AWS::Region}}:${{AWS::AccountId}}:{kind}:${{{parameter}}}"


def machine_parameters(workflow: Workflow) -> Json:
    """Return a parameter with the name of each other DAG's state machine; DAGs by default have their own ids."""
    return {
        _parameter(workflow, dag_id): {
            "Type": "String",
            "Description": f"Name of the state machine of the DAG {dag_id}",
            "Default": machine_name(dag_id),
            "AllowedPattern": "[A-Za-z0-9_-]+",
        }
        for dag_id in other_dags(workflow)
        if dag_id != workflow.dag_id
    }


def machine_variables(workflow: Workflow) -> Json:
    """Return the environment variable that tells the function where the other DAGs are, if there are any."""
    arns = {dag_id: _arn(workflow, dag_id, "stateMachine") for dag_id in other_dags(workflow)}
    return {MACHINES: {"Fn::Sub": json.dumps(arns, sort_keys=True)}} if arns else {}


def machine_rights(workflow: Workflow) -> list[Json]:
    """Return the statements for the function's role; ``*`` stands for the names of one machine's executions."""
    called, started = other_dags(workflow), started_dags(workflow)
    rights = []
    if started:
        machines = [{"Fn::Sub": _arn(workflow, dag_id, "stateMachine")} for dag_id in started]
        rights.append(allow("StartOtherDags", ("states:StartExecution",), *machines))
    if called:
        runs = [{"Fn::Sub": f"{_arn(workflow, dag_id, 'execution')}:*"} for dag_id in called]
        see = ("states:DescribeExecution", "states:GetExecutionHistory")
        rights.append(allow("SeeRunsOfOtherDags", see, *runs))
        machines = [{"Fn::Sub": _arn(workflow, dag_id, "stateMachine")} for dag_id in called]
        rights.append(allow("SeeOtherDags", ("states:DescribeStateMachine",), *machines))
    return rights


def _arn(workflow: Workflow, dag_id: str, kind: str) -> str:
    return _ARN.format(kind=kind, parameter=_parameter(workflow, dag_id))


def _parameter(workflow: Workflow, dag_id: str) -> str:
    if dag_id == workflow.dag_id:
        return "StateMachineName"
    words = "".join(word[:1].upper() + word[1:] for word in re.findall(r"[A-Za-z0-9]+", dag_id))
    if not re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", dag_id):
        words += hashlib.sha256(dag_id.encode()).hexdigest()[:6].upper()
    return f"StateMachineOf{words}"
