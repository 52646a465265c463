"""Tasks whose operator starts an image of the user's: which images a DAG has, and what their definitions have to say.

An image's task definition on ECS holds what no start can change: the image itself, its entry point, its user. What a
start can change, its arguments and its environment, is rendered when the task runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from orkestra_bridge.operators.other_dags import is_template

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Task, Workflow
    from orkestra_bridge.ir.places import ClusterValue, Image, Packages

ENVIRONMENT_PROGRAM = "env"
"""Runs its arguments as a program: the entry point where the real one is a template."""
_MASK = "***"
_KEPT_BY = frozenset({"secret", "configmap"})
_VARIABLE = re.compile(r"[-._A-Za-z][-._A-Za-z0-9]*")
_NAME = re.compile(r"[-._A-Za-z0-9]+")
"""Of a Secret, a ConfigMap or a key in it, which may all be part of a parameter's name."""
_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<name>[a-z0-9][a-z0-9._/-]*?)"
    r"(?::[^/@]+)?(?:@.+)?"
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ImageDefinition:
    """What tasks have in common that share a task definition.

    Attributes:
        reference: The image, None where it has to be named at deployment.
        entry_point: What is run instead of the image's own, None for that.
        values: What its environment has of Parameter Store.
        task_id: The task it is for, where only that one has it.
    """

    reference: str | None
    entry_point: tuple[str, ...] | None
    working_directory: str | None = None
    user: str | None = None
    scratch: str | None = None
    result: str | None = None
    terminal: bool = False
    values: tuple[ClusterValue, ...] = ()
    task_id: str | None = None


@final
@dataclass(frozen=True, slots=True)
class Build:
    """An image that is built from the DAG's package: on the base of another image, with Airflow itself, or our own.

    ``packages`` are those that its tasks have besides the DAG's.
    """

    base: str | None = None
    airflow: bool = False
    packages: Packages | None = None

    @property
    def is_usual(self) -> bool:
        """True for the image that most DAGs with containers have."""
        return self == Build()


def is_known(reference: str | None) -> bool:
    """Return True for an image that is the same in every run, and no secret."""
    return reference is not None and not is_template(reference) and _MASK not in reference


def kept_values(image: Image) -> tuple[ClusterValue, ...]:
    """Return what an image has of a cluster that it can have from Parameter Store: single keys for variables."""
    return () if image.python else tuple(each for each in image.cluster if _is_kept(each))


def _is_kept(value: ClusterValue) -> bool:
    names = (value.name, value.key or "")
    known = bool(_VARIABLE.fullmatch(value.variable or "")) and all(map(_NAME.fullmatch, names))
    return value.kind in _KEPT_BY and known


def runs_image(task: Task) -> bool:
    """Return True if the task's container runs the user's image as it is."""
    return task.container is not None and task.image is not None and not task.image.python


def definition_of(task: Task) -> ImageDefinition:
    """Return what the task definition of an image has to say."""
    image = task.image
    assert image is not None, "only of tasks with an image"
    known = is_known(image.reference)
    entry_point = image.entry_point
    if entry_point is not None and any(map(is_template, entry_point)):
        entry_point = (ENVIRONMENT_PROGRAM,)
    return ImageDefinition(
        reference=image.reference if known else None,
        entry_point=entry_point,
        working_directory=image.working_directory,
        user=image.user,
        scratch=image.scratch,
        result=image.result,
        terminal=image.terminal,
        values=kept_values(image),
        task_id=None if known else task.task_id,
    )


def definitions_of(workflow: Workflow) -> tuple[ImageDefinition, ...]:
    """Return the different definitions of a DAG's images, in the order of its tasks."""
    return tuple(dict.fromkeys(definition_of(task) for task in workflow.tasks if runs_image(task)))


def values_of(definitions: tuple[ImageDefinition, ...]) -> tuple[ClusterValue, ...]:
    """Return what all definitions have of Parameter Store."""
    return tuple(value for each in definitions for value in each.values)


def image_name(definitions: tuple[ImageDefinition, ...], task: Task) -> str:
    """Return the logical id of a task's image definition, which is one of the DAG's."""
    return image_logical(definitions.index(definition_of(task)))


def image_logical(number: int) -> str:
    """Return the logical id of an image definition; ``number`` counts from 0."""
    return f"Image{number + 1}"


def build_of(task: Task) -> Build:
    """Return the image that the container of a task is started from, if it is one of ours."""
    assert task.container is not None, "only of tasks in containers"
    return Build(task.container.base, task.container.airflow, task.packages)


def builds_of(workflow: Workflow) -> tuple[Build, ...]:
    """Return the different images that are built for a DAG, in the order of its tasks."""
    found = (build_of(task) for task in workflow.tasks if task.container and not runs_image(task))
    return tuple(dict.fromkeys(found))


def build_suffix(builds: tuple[Build, ...], build: Build) -> str:
    """Return what the names of a build's resources end with: nothing for the usual one, else a number from 2 on."""
    if build.is_usual:
        return ""
    others = [each for each in builds if not each.is_usual]
    return str(others.index(build) + 2)


def ecr_repository(reference: str) -> tuple[str, str, str] | None:
    """Return region, account and name of the ECR repository that an image is in, None if it is elsewhere."""
    found = _ECR.fullmatch(reference)
    return (found["region"], found["account"], found["name"]) if found else None
