"""Which function a task runs in: that of the DAG, or one beside it where the configuration gives the task something else.

All functions of a DAG have the same package; they differ in memory, timeout and the layer with third-party packages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Given, Task, Workflow

OF_DAG = "Tasks"
LONGEST = 900
"""Seconds (AWS Lambda quotas, function timeout)."""


def function_of(task: Task) -> str:
    """Return the logical name of the function that a task runs in, such as ``TasksMemory2048``."""
    given = task.given
    if given is None or not given.own or task.container is not None:
        return OF_DAG
    packages = f"Requirements{task.packages.number}" if task.packages else ""
    memory = f"Memory{given.memory}" if given.memory else ""
    timeout = f"Timeout{min(given.timeout, LONGEST)}" if given.timeout else ""
    return f"{OF_DAG}{packages}{memory}{timeout}"


def function_arn(name: str) -> str:
    """Return the placeholder of the ARN of a function with this logical name."""
    return f"${{{name}FunctionArn}}"


def own_functions(workflow: Workflow) -> dict[str, Given]:
    """Return what the functions beside that of the DAG are given, by logical name, sorted."""
    found = {
        name: task.given for task in workflow.tasks if (name := function_of(task)) != OF_DAG and task.given
    }
    return dict(sorted(found.items()))


def function_arns(workflow: Workflow) -> tuple[str, ...]:
    """Return the placeholders of the ARNs of all functions of a DAG."""
    return tuple(map(function_arn, (OF_DAG, *own_functions(workflow))))
