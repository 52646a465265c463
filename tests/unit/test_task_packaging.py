"""Packages of single tasks that are too large for a function: their tasks move to containers, or it is said why not."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING

import pytest
from packages import dag_file
from workflows import a_task, a_workflow

from orkestra_bridge.ir.model import Given, Polling, SourceSpan, Task, Workflow
from orkestra_bridge.ir.places import Packages
from orkestra_bridge.packaging.layer import UNZIPPED_LIMIT
from orkestra_bridge.packaging.model import Layer, LayerResult, TaskPackages
from orkestra_bridge.packaging.rules import LAYER_TOO_LARGE
from orkestra_bridge.task_packaging import OfTasks, about_task_packages, in_containers

if TYPE_CHECKING:
    from pathlib import Path

GIVEN = Packages(2, "train.txt")
OWN = Given(packages=GIVEN, own=True)


def workflow(*more: Task) -> Workflow:
    return a_workflow(a_task("load"), a_task("train", given=OWN), *more)


def of_tasks(size: int, tmp_path: Path) -> OfTasks:
    """Return packages with a layer of some size, as a build that found it in the cache would."""
    packages = TaskPackages(given=GIVEN, task_ids=("train",), requirements=())
    layer = Layer(key_hash="k", name="layer-k", path=tmp_path, size=size, requirements=())
    built: Future[LayerResult] = Future()
    built.set_result(LayerResult(layer=layer))
    return OfTasks(packages, None, built)


def test_tasks_with_packages_beyond_the_limit_move_and_no_others(tmp_path: Path) -> None:
    moved = in_containers(workflow(), [of_tasks(UNZIPPED_LIMIT + 1, tmp_path)])
    assert [task.container is not None for task in moved.tasks] == [False, True]
    container = moved.tasks[1].container
    assert container is not None
    assert container.reason == "its packages (train.txt) have 250 MB, Lambda takes 250 MB"


@pytest.mark.parametrize("size", [1, UNZIPPED_LIMIT])
def test_nothing_moves_where_there_is_room(size: int, tmp_path: Path) -> None:
    before = workflow()
    assert in_containers(before, [of_tasks(size, tmp_path)]) is before


def test_a_sensor_cannot_move_and_that_is_said(tmp_path: Path) -> None:
    sensor = a_task("wait", operator="PythonSensor", polling=Polling(), given=OWN)
    moved = in_containers(workflow(sensor), [of_tasks(UNZIPPED_LIMIT + 1, tmp_path)])
    assert moved.tasks[2].container is None
    large = of_tasks(UNZIPPED_LIMIT + 1, tmp_path)
    assert large.built is not None
    assert large.built.layer is not None
    said: Future[LayerResult] = Future()
    said.set_result(
        LayerResult(
            layer=large.built.layer,
            findings=(LAYER_TOO_LARGE.at(SourceSpan("requirements.txt"), "too large", "split"),),
        )
    )
    stays = OfTasks(large.packages, None, said)
    [finding] = about_task_packages([stays], moved, dag_file(tmp_path))
    assert (finding.id, finding.dag_id, finding.file) == ("OB433", "example", "dags/dag.py")
    assert "packages of train (train.txt): they have 250 MB" in finding.message
    assert "train.txt" in finding.remedy
