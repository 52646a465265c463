"""Functions and containers for tasks with packages of their own: what uv adds for them is in a folder, made once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from orkestra_bridge.errors import LocalRunError
from orkestra_bridge.local.functions.model import FunctionSpec
from orkestra_bridge.local.services.containers import ContainerSpec
from orkestra_bridge.packaging.installer import InstallError
from orkestra_bridge.packaging.task_folder import in_folder, make_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from orkestra_bridge.local.package import TaskModules

Spec = TypeVar("Spec", FunctionSpec, ContainerSpec)
FOLDER = ".task-packages"


def with_packages(spec: Spec, of_tasks: Mapping[str, TaskModules], home: Path) -> dict[str, Spec]:
    """Return the function or container for each number of packages, with these in place of the DAG's.

    ``home`` is where folders are kept.

    Raises LocalRunError: uv cannot install what is to be added.
    """
    return {number: _with(spec, each, home / FOLDER) for number, each in of_tasks.items()}


def _with(spec: Spec, packages: TaskModules, home: Path) -> Spec:
    if not packages.added:
        return replace(spec, modules=packages.modules, distributions=packages.distributions)
    try:
        folder = make_folder(packages.added, packages.constraints, spec.python, home)
    except InstallError as failure:
        raise LocalRunError(
            f"the packages of {', '.join(sorted(packages.task_ids))} ({', '.join(packages.added)}) cannot be "
            f"installed: {failure.reason}",
            remedy="see that they can be had from here, in versions that fit those of the DAG",
        ) from failure
    modules: list[str] = [name for each in in_folder(folder) for name in each.modules]
    names: list[str] = [each.name for each in in_folder(folder)]
    return replace(
        spec,
        site_packages=(folder, *spec.site_packages),
        modules=(*packages.modules, *modules),
        distributions=(*packages.distributions, *names),
    )
