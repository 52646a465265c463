"""Which tasks run in a container, why, and in which size."""

from __future__ import annotations

from typing import Any

import pytest
from workflows import a_task, a_workflow

from orkestra_bridge.ir.model import Attribute, Task
from orkestra_bridge.ir.places import Container
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.passes.accounting import account
from orkestra_bridge.passes.placement import about_placement, place, place_all

POD = (
    "{'metadata': None, 'spec': {'containers': [{'name': 'base', 'image': 'team/image:1',"
    " 'resources': {'limits': {'memory': '6Gi'}, 'requests': {'cpu': '1500m', 'memory': '2Gi'}}}]}}"
)


def configured(value: Any) -> Task:
    return a_task("t", attributes=(Attribute(name="executor_config", value=value),))


def placed(task: Task, **targets: Any) -> Container | None:
    return place(a_workflow(task), targets).tasks[0].container


def test_what_may_take_longer_than_lambda_runs_in_a_container() -> None:
    assert placed(a_task("t", execution_timeout=900.0)) is None
    found = placed(a_task("t", execution_timeout=901.0))
    assert found == Container(
        reason="execution_timeout is 901 s, a Lambda function ends after 900 s", attribute="execution_timeout"
    )


def test_a_pattern_says_where_a_task_runs_and_the_last_one_counts() -> None:
    workflow = a_workflow(a_task("a.load"), a_task("b"), a_task("e", operator="EmptyOperator"))
    found = place(workflow, {"*": "container", "example.b": "lambda"}).tasks
    assert [task.container is not None for task in found] == [True, False, False]


def test_lambda_on_demand_is_refused_where_it_is_too_short() -> None:
    workflow = place(a_workflow(a_task("t", execution_timeout=1000.0)), {"t": "lambda"})
    assert [finding.id for finding in lower(workflow).findings if finding.severity.value == "error"] == [
        "OB324"
    ]


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"KubernetesExecutor": {"request_memory": "3Gi", "request_cpu": "500m"}}, (512, 3072)),
        ({"pod_override": POD}, (2048, 6144)),
        ({"KubernetesExecutor": {"limit_cpu": 4}}, (4096, 8192)),
    ],
)
def test_resources_of_a_pod_become_a_size_of_fargate(value: Any, size: tuple[int, int]) -> None:
    found = placed(configured(value))
    assert found is not None
    assert (found.cpu, found.memory, found.attribute) == (*size, "executor_config")


@pytest.mark.parametrize(
    "value", [{"pod_override": "V1Pod(...)"}, {"KubernetesExecutor": {"labels": {"a": "b"}}}, {"x": 1}, "y"]
)
def test_a_configuration_without_resources_leaves_the_task_where_it_is(value: Any) -> None:
    workflow = place(a_workflow(configured(value)))
    assert workflow.tasks[0].container is None
    assert [finding.id for finding in account(workflow)] == ["OB203"]


def test_every_container_has_a_finding_with_its_reason_and_size() -> None:
    workflow = place(a_workflow(a_task("a", execution_timeout=7200.0), a_task("b")))
    [finding] = about_placement(workflow)
    assert (finding.id, finding.severity.value, finding.task_id, finding.attribute) == (
        "OB230",
        "info",
        "a",
        "execution_timeout",
    )
    assert "0.5 vCPU, 1024 MiB" in finding.message
    assert "execution_timeout is 7200 s" in finding.message


def test_an_image_that_is_not_used_and_a_size_that_is_not_there_are_said() -> None:
    workflow = place(a_workflow(configured({"pod_override": POD.replace("6Gi", "600Gi")})))
    assert [(each.id, each.severity.value) for each in about_placement(workflow)] == [
        ("OB230", "info"),
        ("OB231", "error"),
        ("OB232", "warning"),
    ]
    assert account(workflow) == ()


def test_all_tasks_of_a_dag_can_be_placed() -> None:
    workflow = a_workflow(a_task("a"), a_task("e", "a", operator="EmptyOperator"))
    found = place_all(workflow, "its package is too large").tasks
    assert [task.container and task.container.reason for task in found] == ["its package is too large", None]
