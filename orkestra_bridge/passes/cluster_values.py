"""What is said about what a Kubernetes cluster keeps for an image: a key for a variable is had from Parameter Store.

Why Parameter Store, a parameter for each key, and not Secrets Manager: ECS wants the whole ARN of a secret, which ends in
six characters that nobody knows before the secret is made, and refuses one without them.

Source: Amazon ECS developer guide, "Pass Systems Manager parameters through Amazon ECS environment variables".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orkestra_bridge.ir.model import Need
from orkestra_bridge.operators.images import kept_values
from orkestra_bridge.passes import rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Needs, Task, Workflow
    from orkestra_bridge.ir.places import ClusterValue, Image

_WHOLE = frozenset({"env_from", "configmaps"})
"""The operator makes one of the other."""
_CALLED = {"secret": "Secret", "configmap": "ConfigMap"}


def answered(image: Image) -> frozenset[str]:
    """Return the arguments whose values are spoken about one by one, and not as a whole."""
    given = {each.argument for each in image.cluster}
    return frozenset({"secrets"} & given) | (_WHOLE if _WHOLE & given else frozenset())


def about_cluster(task: Task, image: Image, about: dict[str, str]) -> Iterator[Finding]:
    """Yield the findings about what an image has of a cluster."""
    kept = kept_values(image)
    if kept:
        names = sorted({(_CALLED[each.kind], each.name) for each in kept})
        sources = " and ".join(f"the {kind} {name}" for kind, name in names)
        optional = [str(each.variable) for each in kept if each.optional]
        variables = _some([str(each.variable) for each in kept])
        message = f"{variables} of its environment: from Parameter Store, not {sources}"
        if optional:
            message += f"; Kubernetes would start it without {_some(optional)}, ECS does not"
        wanted = " ".join(f"{kind.lower()}/{name}" for kind, name in names)
        yield rules.CLUSTER_VALUES.at(
            task.span,
            message,
            f"push them before you deploy: kubectl get {wanted} -o json > FILE; orkestra-bridge secrets push "
            "--kubernetes FILE",
            attribute=kept[0].argument,
            **about,
        )
    for each in image.cluster:
        if each not in kept:
            message, remedy = _refused(each, image)
            yield rules.IMAGE_LACKS.at(task.span, message, remedy, attribute=each.argument, **about)


def _refused(value: ClusterValue, image: Image) -> tuple[str, str]:
    """Return why a value cannot be had, and what to do instead."""
    what = f"the {_CALLED.get(value.kind, value.kind)} {value.name}".strip()
    if value.path is not None:
        why = f"Fargate mounts no files of a cluster: {what} at {value.path}"
        remedy = "take it as a variable (deploy_type env), which the command may write to a file"
    elif value.kind == "expanded":
        why = (
            f"the value of {value.variable} would be another one for each instance, and they share it on ECS"
        )
        remedy = "give it in partial(), or make a task for each"
    elif value.kind not in _CALLED:
        why = f"{value.variable} has its value from the pod itself ({value.kind}), and there is none"
        remedy = "leave it out, or give the value in env_vars"
    elif image.python:
        why = f"the function runs in an image of the DAG's own, which gets nothing of {what}"
        remedy = "look it up in the function, as a Variable or a connection"
    else:
        why = f"all keys of {what} would be variables, and ECS wants to be told each"
        if value.key is not None:
            why = f"of {what}, its name, its key or the variable is only known when the task runs"
        remedy = f'name each: Secret("env", "VARIABLE", "{value.name}", "KEY")'
        if value.kind == "configmap":
            remedy = "name each, as a V1EnvVar with a config_map_key_ref in env_vars"
    return why, remedy


def cluster_needs(workflow: Workflow, needs: Needs) -> Needs:
    """Return the needs with the keys that the DAG's images have of a cluster."""
    found: dict[str, dict[str, Need]] = {"secret": {}, "configmap": {}}
    for task in workflow.tasks:
        for each in kept_values(task.image) if task.image is not None else ():
            need = Need(name=f"{each.name}/{each.key}", file=task.span.file, line=task.span.line)
            found[each.kind].setdefault(need.name, need)
    secrets, configmaps = (tuple(found[kind][name] for name in sorted(found[kind])) for kind in found)
    return replace(needs, kubernetes_secrets=secrets, kubernetes_configmaps=configmaps)


def _some(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 5 else f"{', '.join(names[:5])} and {len(names) - 5} more"
