"""What is said about a task that starts an image: each argument of its operator, and what Fargate cannot do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orkestra_bridge.operators.images import is_known, runs_image
from orkestra_bridge.operators.other_dags import is_template
from orkestra_bridge.passes import rules
from orkestra_bridge.passes.cluster_values import about_cluster, answered
from orkestra_bridge.passes.image_claims import CALLBACKS_OF_PODS, CALLED, DECIDING, claims_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Attribute, Task, Workflow
    from orkestra_bridge.ir.places import Image
    from orkestra_bridge.passes.claims import Claim

_RENDERED = frozenset(
    {
        "image", "command", "environment", "env_file", "entrypoint", "cmds", "arguments", "env_vars", "xcom_all",
        "skip_on_exit_code", "skip_exit_code", "get_logs",
    }
)  # fmt: skip
"""What may differ from one instance of a mapped task to the next."""


def about_images(workflow: Workflow) -> tuple[Finding, ...]:
    """Return the findings about images that are not about a single argument."""
    return tuple(
        finding
        for task in workflow.tasks
        if task.image is not None and task.container is not None
        for finding in _about(workflow.dag_id, task, task.image)
    )


def image_claims(task: Task) -> tuple[frozenset[str], dict[str, Claim], tuple[Attribute, ...]]:
    """Return which arguments of the image's operator are kept, the claims about others, and those that were given.

    What the user's own subclass takes is the business of its constructor, which has run.
    """
    assert task.image is not None, "only of tasks with an image"
    kept, claims = claims_of(task.image.kind, python=task.image.python)
    kept |= answered(task.image)
    if not task.image.listens:
        claims = {**claims, **CALLBACKS_OF_PODS}
    own = not task.bases[0].startswith("airflow.")
    given = tuple(
        each
        for each in task.attributes
        if each.of_class and not (own and each.name not in kept and each.name not in claims)
    )
    return kept, claims, tuple(_as_meant(each) for each in given if not _is_usual(task.image, each))


def _is_usual(image: Image, attribute: Attribute) -> bool:
    """Return True for what the decorators give by themselves."""
    return image.python and attribute.name in ("name", "random_name_suffix", "command", "cmds")


def _as_meant(attribute: Attribute) -> Attribute:
    """Return a network mode that says what is so anyway as if it had not been given."""
    usual = attribute.name == "network_mode" and attribute.value in ("bridge", "default")
    return replace(attribute, value=None) if usual else attribute


def _about(dag_id: str, task: Task, image: Image) -> Iterator[Finding]:
    about = {"dag_id": dag_id, "task_id": task.task_id}
    known = is_known(image.reference)
    if image.python:
        yield rules.IMAGE_FUNCTION.at(
            task.span,
            f"the function runs in an image that is built on {image.reference if known else 'its image'}, with the DAG's "
            "package in it, and not in a script of its own",
            "see that the image has Python 3.10 or later and pip; the function may then use the context, too",
            **about,
        )
    if image.python and not known:
        yield rules.IMAGE_UNKNOWN_BASE.at(
            task.span,
            "the image is a template or a Variable, and nothing can be built on it",
            "name the image as text",
            attribute="image",
            **about,
        )
    if image.wraps and not image.python:
        name = image.executed_by.rpartition(".")[2]
        yield rules.IMAGE_EXECUTE.at(
            task.span,
            f"{name}.execute() is called until it calls super().execute(), and again, with its result, when the image "
            "has ended",
            "see that what it does before may be done twice; it is another process, so that nothing is remembered",
            **about,
        )
    yield from _about_methods(task, image, about)
    yield from about_cluster(task, image, about)
    if runs_image(task):
        yield from _about_definition(task, image, about)


def _about_methods(task: Task, image: Image, about: dict[str, str]) -> Iterator[Finding]:
    """Yield what becomes of methods that subclasses have of their own, but for those that are called here, too."""
    others = [each for each in image.overridden if each.rpartition(".")[2] not in CALLED]
    decide = [each for each in others if each.rpartition(".")[2] in DECIDING]
    around = [each for each in others if each not in decide]
    if decide:
        yield rules.IMAGE_LACKS.at(
            task.span,
            f"{_listed(decide)} is not called, which decides what is started or what the result is",
            "give it to the constructor: image, command or cmds and arguments, variables, resources",
            **about,
        )
    if around:
        yield rules.IMAGE_SURROUNDINGS.at(
            task.span,
            f"{_listed(around)} is not called: it is about a pod, a container or a client of these, and there is none",
            "nothing, if it looks after these or writes a log; do anything else in a task downstream",
            **about,
        )


def _listed(names: list[str]) -> str:
    return ", ".join(f"{name}()" for name in names)


def _about_definition(task: Task, image: Image, about: dict[str, str]) -> Iterator[Finding]:
    if not is_known(image.reference):
        yield rules.IMAGE_AT_DEPLOYMENT.at(
            task.span,
            "which image it is only the run knows, and ECS wants to know before",
            "name the image when you deploy; a run for which it is another one fails and says so",
            attribute="image",
            **about,
        )
    if image.entry_point and any(map(is_template, image.entry_point)):
        yield rules.IMAGE_ENTRY_POINT.at(
            task.span,
            "the entry point is a template; it is started by the image's own program `env`",
            "see that the image has it (nearly all but distroless ones do), or put what varies into the arguments",
            **about,
        )
    fixed = _fixed_by_definition(task)
    if fixed:
        yield rules.IMAGE_LACKS.at(
            task.span,
            f"it is expanded over {', '.join(fixed)}, which all instances share on ECS",
            "make a task for each, or expand over arguments and environment alone",
            attribute="expand",
            **about,
        )


def _fixed_by_definition(task: Task) -> list[str]:
    """Return what a mapped task is expanded over that all of its instances have to share on ECS."""
    assert task.image is not None
    kept, claims = claims_of(task.image.kind, python=False)
    names: set[str] = set()
    for attribute in task.attributes:
        if attribute.name in ("expand", "expand_kwargs"):
            rows = attribute.value if isinstance(attribute.value, list) else [attribute.value]
            names.update(name for row in rows if isinstance(row, dict) for name in row)
    refused = {name for name, claim in claims.items() if claim.rule is rules.IMAGE_LACKS}
    return sorted(names & ((kept - _RENDERED) | refused))
