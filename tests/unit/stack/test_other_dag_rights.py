"""What a DAG's function may do with other DAGs' state machines: no more than its tasks need."""

from __future__ import annotations

from typing import Any

from stacks import ACKNOWLEDGED, DEFINITION, FUNCTION, diagnosed
from workflows import a_task, a_workflow

from orkestra_bridge.ir.model import Polling
from orkestra_bridge.options import Target
from orkestra_bridge.runtime.executions import MACHINES
from orkestra_bridge.stack.other_dags import machine_rights
from orkestra_bridge.stack.template import build_stack

CALLER = a_workflow(
    a_task("go", calls="other.dag"),
    a_task("see", calls="seen", polling=Polling()),
    a_task("again", calls="example"),
)


def template() -> dict[str, Any]:
    return build_stack(CALLER, DEFINITION, FUNCTION, None, Target()).template


def test_machines_are_named_by_parameters() -> None:
    parameters = template()["Parameters"]
    assert parameters["StateMachineOfSeen"]["Default"] == "seen"
    (odd,) = [name for name in parameters if name.startswith("StateMachineOfOtherDag")]
    assert parameters[odd]["Default"] == "other_dag-84fc2932"
    assert "StateMachineOfExample" not in parameters, "its own name has a parameter already"


def test_the_function_knows_where_they_are() -> None:
    variables = template()["Resources"]["TasksFunction"]["Properties"]["Environment"]["Variables"]
    text = variables[MACHINES]["Fn::Sub"]
    assert ":stateMachine:${StateMachineOfSeen}" in text
    assert ":stateMachine:${StateMachineName}" in text


def test_only_triggered_machines_may_be_started() -> None:
    rights = {statement["Sid"]: statement for statement in machine_rights(CALLER)}
    started = str(rights["StartOtherDags"]["Resource"])
    assert "OtherDag" in started
    assert "Seen" not in started
    assert all(
        each["Fn::Sub"].endswith(":*") and ":execution:" in each["Fn::Sub"]
        for each in rights["SeeRunsOfOtherDags"]["Resource"]
    )
    assert "*" not in [each for statement in rights.values() for each in statement["Resource"]]
    assert machine_rights(a_workflow(a_task("a"))) == []


def test_the_template_is_valid() -> None:
    assert diagnosed(template()) <= ACKNOWLEDGED
