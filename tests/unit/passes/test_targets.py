"""What is asked for about where tasks run, and is not so, is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from workflows import DOCKER, a_task, a_workflow

from orkestra_bridge.ir.model import Attribute, Polling
from orkestra_bridge.ir.places import Image
from orkestra_bridge.passes.placement import place
from orkestra_bridge.passes.targets import about_targets

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Task
    from orkestra_bridge.options import RunsIn


def an_image(*, python: bool = False) -> Task:
    image = Image(kind="docker", executed_by=DOCKER, reference="team/etl:1", python=python)
    return a_task("t", operator="DockerOperator", image=image)


def an_environment() -> Task:
    needs = Attribute(name="requirements", value=["pandas"], of_class=True)
    bases = ("airflow.providers.standard.operators.python.PythonVirtualenvOperator", *a_task("t").bases)
    return a_task("t", operator="PythonVirtualenvOperator", bases=bases, attributes=(needs,))


TASKS: dict[str, Any] = {
    "image": an_image(),
    "function in an image": an_image(python=True),
    "environment": an_environment(),
    "sensor": a_task("t", operator="PythonSensor", polling=Polling()),
    "other DAG": a_task("t", calls="b"),
    "nothing": a_task("t", operator="EmptyOperator"),
    "function": a_task("t"),
}


def said(task: Task, target: RunsIn, pattern: str = "t") -> list[str]:
    targets: dict[str, RunsIn] = {pattern: target}
    return [
        each.message.partition(": ")[2]
        for each in about_targets(place(a_workflow(task), targets), targets)
        if each.id == "OB248"
    ]


@pytest.mark.parametrize(
    ("name", "target", "why"),
    [
        ("image", "airflow", "it starts its own image"),
        ("image", "lambda", "it starts its own image"),
        ("function in an image", "airflow", "its function runs in an image"),
        ("environment", "airflow", "its function has a Python of its own"),
        ("environment", "lambda", "its function has a Python of its own"),
        ("sensor", "container", "it waits"),
        ("other DAG", "airflow", "it starts another DAG"),
        ("nothing", "airflow", "no code runs for it"),
        ("nothing", "container", "no code runs for it"),
    ],
)
def test_what_has_no_effect_is_said(name: str, target: RunsIn, why: str) -> None:
    [message] = said(TASKS[name], target)
    assert message.startswith(why)


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("image", "container"),
        ("environment", "container"),
        ("other DAG", "container"),
        ("function", "container"),
        ("function", "airflow"),
        ("function", "lambda"),
        ("sensor", "airflow"),
        ("sensor", "lambda"),
    ],
)
def test_what_has_one_is_not(name: str, target: RunsIn) -> None:
    assert said(TASKS[name], target) == []


def test_tasks_of_a_dag_are_named_together() -> None:
    sensors = [a_task(f"s{number}", operator="PythonSensor", polling=Polling()) for number in range(7)]
    targets: dict[str, RunsIn] = {"*": "container"}
    [finding] = about_targets(place(a_workflow(*sensors, a_task("f")), targets), targets)
    assert finding.message.startswith(
        "target container has no effect on s0, s1, s2, s3, s4 and 2 more: it waits"
    )
    assert about_targets(place(a_workflow(*sensors)), {}) == ()
