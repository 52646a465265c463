"""Every argument that differs from Airflow's default is kept, approximated or refused; an unknown one is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orkestra_bridge.ir.attributes import UNSET, value_of
from orkestra_bridge.operators.environments import has_environment, names_interpreter, unknown_requirements
from orkestra_bridge.operators.images import runs_image
from orkestra_bridge.operators.registry import is_core
from orkestra_bridge.passes import rules
from orkestra_bridge.passes.callbacks import about_callbacks
from orkestra_bridge.passes.claims import (
    CLAIMS_BY_ASSET,
    CLAIMS_BY_DAG,
    CLAIMS_BY_GROUP,
    CLAIMS_BY_SCHEDULE,
    CLAIMS_BY_TASK,
    KEPT_BY_ASSET,
    KEPT_BY_DAG,
    KEPT_BY_GROUP,
    KEPT_BY_SCHEDULE,
    KEPT_BY_TASK,
)
from orkestra_bridge.passes.fail_fast import about_fail_fast
from orkestra_bridge.passes.images import about_images, image_claims
from orkestra_bridge.passes.task_dates import about_task_dates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import AssetCondition, Attribute, SourceSpan, Task, Workflow
    from orkestra_bridge.passes.claims import Claim

_SHOWN = 60
_ANSWERED_ELSEWHERE = frozenset({"expand", "expand_kwargs", "task_group.expand", "task_group.expand_kwargs"})
"""The operator check speaks about these."""
_ENFORCED_BY_MAP = frozenset({"max_active_tis_per_dagrun"})
_ASKED_BY_FUNCTION = frozenset({"retry_policy"})
"""The function asks it at each failure, and the state machine waits as long as it says (`lowering/polling.py`)."""
_EMAIL_FLAGS = frozenset({"email_on_failure", "email_on_retry"})


def account(workflow: Workflow) -> tuple[Finding, ...]:
    """Return a finding for each attribute that is not simply kept."""
    found = [*_dag(workflow)]
    if not workflow.tasks:
        found.append(
            rules.NO_TASKS.at(
                workflow.span,
                "the DAG has no tasks, and a state machine needs a state at least",
                "give it a task, or leave the file out with .airflowignore",
                dag_id=workflow.dag_id,
            )
        )
    for task in workflow.tasks:
        found.extend(_task(workflow.dag_id, task))
    return (
        *found,
        *about_callbacks(workflow),
        *about_fail_fast(workflow),
        *about_task_dates(workflow),
        *_assets(workflow),
        *about_images(workflow),
        *_requirements(workflow),
        *_unused(workflow),
    )


def _dag(workflow: Workflow) -> Iterator[Finding]:
    yield from _claimed(
        workflow.attributes,
        KEPT_BY_DAG,
        CLAIMS_BY_DAG,
        span=workflow.span,
        dag_id=workflow.dag_id,
    )
    yield from _claimed(
        workflow.schedule.attributes,
        KEPT_BY_SCHEDULE,
        CLAIMS_BY_SCHEDULE,
        span=workflow.span,
        dag_id=workflow.dag_id,
    )
    for group in workflow.groups:
        yield from _claimed(
            group.attributes,
            KEPT_BY_GROUP,
            CLAIMS_BY_GROUP,
            span=group.span,
            dag_id=workflow.dag_id,
            task_id=group.group_id,
        )


def _requirements(workflow: Workflow) -> Iterator[Finding]:
    for task in workflow.tasks:
        if names_interpreter(task):
            yield from _interpreter(workflow.dag_id, task)
            continue
        why = unknown_requirements(task) if has_environment(task) else None
        if why:
            yield rules.ENVIRONMENT_UNKNOWN.at(
                task.span,
                f"the environment is made before the task runs, and its requirements are not known: {why}",
                "give them as a list of text",
                dag_id=workflow.dag_id,
                task_id=task.task_id,
                attribute="requirements",
            )


def _interpreter(dag_id: str, task: Task) -> Iterator[Finding]:
    """Yield what there is to say about the interpreter that a task names."""
    path = value_of(task.attributes, "python")
    place: dict[str, Any] = {"dag_id": dag_id, "task_id": task.task_id, "attribute": "python"}
    found = task.interpreter
    if found is None:
        yield rules.ENVIRONMENT_UNKNOWN.at(
            task.span,
            f"what the interpreter {path} has is not known: it is not on this machine, or does not say",
            "convert where it is, or make the task a PythonVirtualenvOperator (@task.virtualenv) with its python_version "
            "and its requirements",
            **place,
        )
    elif found.own:
        yield rules.ENVIRONMENT.at(
            task.span,
            f"{path} is the interpreter that has Airflow: the function runs with the Python and the packages of the DAG",
            "nothing, if what it imports is imported by its name",
            **place,
        )
    elif found.local:
        yield rules.ENVIRONMENT_LACKS.at(
            task.span,
            f"{', '.join(found.local)} of the interpreter {path} came from no index, and cannot be had again",
            "put the modules into the DAG folder, or publish the package to an index",
            **place,
        )


def _unused(workflow: Workflow) -> Iterator[Finding]:
    for name in workflow.unused_default_args:
        known = name in KEPT_BY_DAG or name in CLAIMS_BY_DAG
        yield rules.UNUSED_DEFAULT.at(
            workflow.span,
            f"{name} in default_args has no effect, in Airflow as here: no task takes it",
            "give it to the DAG itself if it was meant" if known else "remove it, or correct its name",
            dag_id=workflow.dag_id,
            attribute=name,
        )


def _task(dag_id: str, task: Task) -> Iterator[Finding]:
    core = is_core(task)
    email = any(attribute.name == "email" and attribute.value not in UNSET for attribute in task.attributes)
    answered = _ANSWERED_ELSEWHERE | (_ENFORCED_BY_MAP if task.expansion else frozenset())
    if task.container is not None and task.container.attribute:
        answered |= {task.container.attribute}
    if task.container is None or runs_image(task):
        answered |= _ASKED_BY_FUNCTION
    attributes = tuple(
        attribute
        for attribute in task.attributes
        if attribute.name not in answered
        and (core or not attribute.of_class)  # execute() of any other class uses them itself
        and (email or attribute.name not in _EMAIL_FLAGS)
    )
    yield from _claimed(
        attributes, KEPT_BY_TASK, CLAIMS_BY_TASK, span=task.span, dag_id=dag_id, task_id=task.task_id
    )
    if task.image is not None and task.container is not None:
        kept, claims, given = image_claims(task)
        yield from _claimed(given, kept, claims, span=task.span, dag_id=dag_id, task_id=task.task_id)


def _assets(workflow: Workflow) -> Iterator[Finding]:
    """Yield a finding for each argument of an asset, at the first place that has the asset."""
    told: set[tuple[object, ...]] = set()
    schedule = workflow.schedule.assets
    places: list[tuple[AssetCondition, SourceSpan, str | None]] = []
    if schedule:
        places.append((schedule, workflow.span, None))
    for task in workflow.tasks:
        places.extend((each, task.span, task.task_id) for each in (*task.inlets, *task.outlets))
    for condition, span, task_id in places:
        for asset in condition.leaves:
            new = tuple(each for each in asset.arguments if (asset, each.name) not in told)
            told |= {(asset, each.name) for each in new}
            yield from _claimed(
                new, KEPT_BY_ASSET, CLAIMS_BY_ASSET, span=span, dag_id=workflow.dag_id, task_id=task_id
            )


def _claimed(
    attributes: tuple[Attribute, ...],
    kept: frozenset[str],
    claims: Mapping[str, Claim],
    *,
    span: SourceSpan,
    dag_id: str,
    task_id: str | None = None,
) -> Iterator[Finding]:
    for attribute in attributes:
        if attribute.name in kept:
            continue
        claim = claims.get(attribute.name)
        if claim is None:
            yield rules.UNACCOUNTED.at(
                span,
                f"{attribute.name} is not known to this version, so it could get lost",
                "remove it, or report it with the Airflow version that has it",
                dag_id=dag_id,
                task_id=task_id,
                attribute=attribute.name,
            )
        elif attribute.value not in UNSET:
            message = claim.message.format(value=_shown(attribute.value))
            yield claim.rule.at(
                span,
                message if attribute.name in message else f"{attribute.name}: {message}",
                claim.remedy,
                dag_id=dag_id,
                task_id=task_id,
                attribute=attribute.name,
            )


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
