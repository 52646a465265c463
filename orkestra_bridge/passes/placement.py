"""Which tasks run in a container instead of the DAG's function, why, and how large it has to be."""

from __future__ import annotations

import ast
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from orkestra_bridge.ir.attributes import is_given, value_of
from orkestra_bridge.ir.places import Container
from orkestra_bridge.operators.environments import environment_of
from orkestra_bridge.operators.fargate import LARGEST, USUAL, docker_mebibytes, mebibytes, size_for, vcpu
from orkestra_bridge.operators.images import build_of, build_suffix, builds_of, is_known, runs_image
from orkestra_bridge.operators.registry import Runs, family_of
from orkestra_bridge.passes import rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Task, Workflow
    from orkestra_bridge.ir.places import Environment, Image, Packages
    from orkestra_bridge.options import RunsIn

LAMBDA_LIMIT = 900
"""Seconds (AWS Lambda quotas, function timeout)."""
LAMBDA_MEMORY = 10_240
"""MB (AWS Lambda quotas, memory allocation)."""
_EXECUTOR_CONFIG = "executor_config"
_SHOWN = 3


def place(workflow: Workflow, targets: Mapping[str, RunsIn] | None = None) -> Workflow:
    """Return the workflow with the `Container` of each task that needs one; ``targets`` as in `ConvertOptions`."""
    tasks = tuple(_placed(workflow.dag_id, task, targets or {}) for task in workflow.tasks)
    return replace(workflow, tasks=tasks)


def place_all(workflow: Workflow, reason: str, packages: Packages | None = None) -> Workflow:
    """Return the workflow with a container for each task that would run in a function, or has these packages there."""
    tasks = tuple(
        replace(task, container=_sized(task, reason))
        if _runs(task) and task.container is None and packages in (None, task.packages)
        else task
        for task in workflow.tasks
    )
    return replace(workflow, tasks=tasks)


def works_without_function(workflow: Workflow) -> bool:
    """Return True if all of the DAG's own code can run in containers, so that the function never loads its file.

    The function polls sensors, expands mapped tasks, maps partitions, calls the DAG's callbacks, and on_failure_callback
    after a kill.
    """
    loads = any(
        task.polling
        or runs_image(task)
        or (task.expansion and task.expansion.length is None)
        or is_given(task.attributes, "on_failure_callback")
        for task in workflow.tasks
    )
    groups = any(group.expansion.length is None for group in workflow.mapped_groups)
    callbacks = is_given(workflow.attributes, "on_success_callback", "on_failure_callback")
    return not (loads or groups or callbacks or workflow.schedule.maps_partitions)


def needs_function(workflow: Workflow) -> tuple[str, ...]:
    """Return what only the function can do for a DAG, by loading its file with the facade; nothing if it never has to.

    What it does after a container was killed, calling on_failure_callback, is not among it.
    """
    found = {
        "a task that starts the user's image": any(runs_image(task) for task in workflow.tasks),
        "a task with a Python of its own": any(environment_of(task) for task in workflow.tasks),
        "a task that starts or waits for another DAG": any(task.calls for task in workflow.tasks),
        "a task that is expanded over what another returns": any(
            task.expansion and task.expansion.length is None for task in workflow.tasks
        )
        or any(group.expansion.length is None for group in workflow.mapped_groups),
        "a schedule whose partition mappers it calls": workflow.schedule.maps_partitions,
        "a callback of the DAG": is_given(workflow.attributes, "on_success_callback", "on_failure_callback"),
    }
    return tuple(what for what, there in found.items() if there)


def loads_in_function(workflow: Workflow) -> bool:
    """Return True if any code of the DAG is run with the facade, in the function or in a container."""
    with_facade = any(
        _may_run(task) and not (task.container and task.container.airflow) for task in workflow.tasks
    )
    return with_facade or bool(needs_function(workflow))


def place_in_airflow(workflow: Workflow, lacking: Finding) -> Workflow:
    """Return the workflow with Airflow itself running all tasks that have code, for which nothing may need the function.

    ``lacking`` says what the facade cannot do.
    """
    reason = f"since {_lack(lacking)}"
    tasks = tuple(
        _in_airflow(task, reason) if _may_run(task) and not _is_airflow(task) else task
        for task in workflow.tasks
    )
    return alone(replace(workflow, tasks=tasks))


def alone(workflow: Workflow) -> Workflow:
    """Return the workflow with the note at its containers that the function cannot load the DAG file."""
    tasks = tuple(
        replace(task, container=replace(task.container, alone=True))
        if task.container and task.container.airflow
        else task
        for task in workflow.tasks
    )
    return replace(workflow, tasks=tasks)


def _is_airflow(task: Task) -> bool:
    return task.container is not None and task.container.airflow


def _in_airflow(task: Task, reason: str) -> Task:
    """Return the task in a container with Airflow; a sensor waits there, for as long as it takes."""
    sized = task.container or _sized(task, reason)
    own = replace(sized, reason=f"Airflow itself runs it, {reason}", airflow=True)
    return replace(task, container=own, polling=None)


def about_placement(workflow: Workflow) -> tuple[Finding, ...]:
    """Return a finding for each task in a container, and for what its size or image cannot be."""
    builds = builds_of(workflow)
    found = (
        finding
        for task in workflow.tasks
        if task.container
        for finding in _about(workflow.dag_id, task, build_suffix(builds, build_of(task)))
    )
    return tuple(found)


def about_airflow(workflow: Workflow, lacking: Finding) -> Finding:
    """Return what it means that Airflow itself runs a DAG's tasks, because of what the facade is found to lack."""
    return replace(
        rules.NEEDS_AIRFLOW.at(
            workflow.span,
            f"its tasks run in containers with Airflow itself: {_lack(lacking)}",
            "a start takes about a minute, a sensor keeps its container while it waits, and on_failure_callback is not "
            f"called when a container is killed; if that is too much: {lacking.remedy}",
            dag_id=workflow.dag_id,
        ),
        file=lacking.file,
        line=lacking.line,
    )


def _lack(finding: Finding) -> str:
    return finding.message.partition(";")[0]


def _placed(dag_id: str, task: Task, targets: Mapping[str, RunsIn]) -> Task:
    if _is_airflow(task):
        return task
    chosen = chosen_for(dag_id, task, targets)
    own = _of_its_own(task)
    if own is None and chosen == "airflow" and _may_run(task) and not task.calls:
        return _in_airflow(task, "as was asked for")
    if own is None and _runs(task) and chosen != "lambda":
        reason, attribute = ("it was asked for", None) if chosen == "container" else _beyond_lambda(task)
        own = _sized(task, reason, attribute) if reason else None
    return replace(task, container=own) if own else task


def _of_its_own(task: Task) -> Container | None:
    """Return the container that a task has whatever was asked for: of an image, or with an environment."""
    if not _runs(task):
        return None
    if task.image is not None:
        return _of_image(task, task.image)
    environment = environment_of(task)
    return _with(environment, task) if environment is not None else None


def _beyond_lambda(task: Task) -> tuple[str, str | None]:
    """Return why a task does not fit into a function, and the argument that says so; empty if it does."""
    if task.limit is not None and task.limit > LAMBDA_LIMIT:
        from_dag = task.execution_timeout == task.limit
        asked = "execution_timeout is" if from_dag else "the configuration gives it"
        reason = f"{asked} {task.limit:g} s, a Lambda function ends after {LAMBDA_LIMIT} s"
        return reason, "execution_timeout" if from_dag else None
    if (memory := _memory(task)) > LAMBDA_MEMORY:
        return f"the configuration gives it {memory} MB, a Lambda function has at most {LAMBDA_MEMORY}", None
    if any(_resources(task)):
        return "executor_config asks for resources", _EXECUTOR_CONFIG
    return "", None


def _with(environment: Environment, task: Task) -> Container:
    python = f"Python {environment.python}" if environment.python else ""
    listed = ", ".join(environment.requirements[:_SHOWN])
    more = (
        f" and {len(environment.requirements) - _SHOWN} more"
        if len(environment.requirements) > _SHOWN
        else ""
    )
    what = " with ".join(part for part in (python, f"{listed}{more}") if part)
    sized = _sized(task, f"its function has an environment of its own ({what})")
    return replace(sized, environment=environment)


def _of_image(task: Task, image: Image) -> Container:
    shown = image.reference if is_known(image.reference) else "of its own"
    if not image.python:
        return _sized(task, f"it starts the image {shown}")
    sized = _sized(task, f"its function is to run in the image {shown}")
    return replace(sized, base=image.reference)


def _runs(task: Task) -> bool:
    # no single poke takes long, and no function runs between two of them
    return task.polling is None and _may_run(task)


def _may_run(task: Task) -> bool:
    family = family_of(task)
    return family is not None and family.runs is Runs.LAMBDA


def chosen_for(dag_id: str, task: Task, targets: Mapping[str, RunsIn]) -> RunsIn | None:
    """Return where a task is asked to run; of several patterns that fit, the last one says."""
    names = (task.task_id, f"{dag_id}.{task.task_id}")
    fitting = [
        where for pattern, where in targets.items() if any(fnmatchcase(name, pattern) for name in names)
    ]
    return fitting[-1] if fitting else None


def _memory(task: Task) -> int:
    return (task.given.memory if task.given else None) or 0


def _sized(task: Task, reason: str, attribute: str | None = None) -> Container:
    cpus, memories = _resources(task)
    if given := _memory(task):
        cpus, memories = cpus or USUAL[0] / 1024, max(memories or 0, given)
    cpu, memory = (size_for(cpus, memories) or LARGEST) if cpus or memories else USUAL
    return Container(reason=reason, attribute=attribute, cpu=cpu, memory=memory)


def _resources(task: Task) -> tuple[float | None, float | None]:
    """Return the vCPU and MiB that ``executor_config`` asks for, of requests and limits the larger ones."""
    asked = _resources_of_image(task.image) if task.image else []
    for config in _configurations(task):
        asked += [
            (vcpu(config.get(f"{kind}_cpu")), mebibytes(config.get(f"{kind}_memory")))
            for kind in ("request", "limit")
        ]
        for kind in ("requests", "limits"):
            amounts = (config.get("resources") or {}).get(kind) or {}
            asked.append((vcpu(amounts.get("cpu")), mebibytes(amounts.get("memory"))))
    cpus = [cpu for cpu, _ in asked if cpu]
    memories = [memory for _, memory in asked if memory]
    return max(cpus, default=None), max(memories, default=None)


def _resources_of_image(image: Image) -> list[tuple[float | None, float | None]]:
    amount = docker_mebibytes if image.kind == "docker" else mebibytes
    return [*((vcpu(each), None) for each in image.cpu), *((None, amount(each)) for each in image.memory)]


def _configurations(task: Task) -> Iterator[dict[str, Any]]:
    """Yield what ``executor_config`` says about the container: in Airflow 1's form, or as a pod of Kubernetes' client."""
    given = value_of(task.attributes, _EXECUTOR_CONFIG)
    if not isinstance(given, dict):
        return
    old = given.get("KubernetesExecutor")
    if isinstance(old, dict):
        yield old
    pod = _literal(given.get("pod_override"))
    for container in (pod.get("spec") or {}).get("containers") or []:
        if container.get("name") in (None, "base"):
            yield container


def _literal(value: object) -> dict[str, Any]:
    """Return the dict that the repr of an object of Kubernetes' client is, an empty one if it is none."""
    if isinstance(value, dict):
        return value
    try:
        found = ast.literal_eval(value) if isinstance(value, str) else {}
    except (ValueError, SyntaxError):
        return {}
    return found if isinstance(found, dict) else {}


def _about(dag_id: str, task: Task, suffix: str) -> Iterator[Finding]:
    assert task.container is not None
    place = task.container
    size = f"{place.cpu / 1024:g} vCPU, {place.memory} MiB"
    remedy = (
        "see that its subnets reach the registry; a start takes about a minute"
        if runs_image(task)
        else f"push the image of the folder container{suffix and '-'}{suffix}/ and name its repository when you deploy; "
        "a start takes about a minute"
    )
    yield rules.IN_CONTAINER.at(
        task.span,
        f"runs in a container on Fargate ({size}) instead of the function: {place.reason}",
        remedy,
        dag_id=dag_id,
        task_id=task.task_id,
        attribute=place.attribute,
    )
    if size_for(*_resources(task)) is None:
        cpu, memory = _resources(task)
        yield rules.CONTAINER_SIZE.at(
            task.span,
            f"the task asks for {cpu or 0:g} vCPU and {memory or 0:g} MiB, Fargate has no such size",
            "ask for at most 16 vCPU and 120 GiB, or keep this DAG on Airflow",
            dag_id=dag_id,
            task_id=task.task_id,
            attribute=None if task.image else _EXECUTOR_CONFIG,
        )
    if any(config.get("image") for config in _configurations(task)):
        yield rules.CONTAINER_IMAGE.at(
            task.span,
            "the image that executor_config names is not used, but one built from this DAG's package",
            "add what the other image has to the Dockerfile in the folder container/",
            dag_id=dag_id,
            task_id=task.task_id,
            attribute=_EXECUTOR_CONFIG,
        )
