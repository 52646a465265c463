"""The packages that tasks with requirements of their own have: those of the DAG, and all that their file names.

What the file names is taken as it is installed where the DAG was parsed, if the file allows that version. Else uv finds
it for the target, with all that it needs, and is held to the versions that the DAG has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from orkestra_bridge.ir.attributes import value_of
from orkestra_bridge.ir.model import SourceSpan
from orkestra_bridge.packaging import rules
from orkestra_bridge.packaging.model import Requirement, TaskPackages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Task, Workflow
    from orkestra_bridge.ir.places import Packages
    from orkestra_bridge.packaging.distributions import DistributionIndex
    from orkestra_bridge.packaging.model import ThirdPartyImport
    from orkestra_bridge.packaging.requirements_file import RequirementsFile, Wanted

    Resolve = Callable[[Iterable[Wanted]], tuple[Requirement, ...]]


def only_of_tasks(
    workflow: Workflow,
    files: Mapping[str, RequirementsFile],
    imports: Iterable[ThirdPartyImport],
    index: DistributionIndex,
) -> tuple[ThirdPartyImport, ...]:
    """Return the imports that only functions of tasks have whose own requirements name what is imported.

    The DAG's other tasks do without. An import of another function, or at the top of a file, is one of the whole DAG.
    """
    if not files:
        return ()
    given: dict[str, set[str | None]] = {}
    for task in workflow.tasks:
        name = _function_of(task)
        if name:
            given.setdefault(name, set()).add(task.packages.file if task.packages else None)
    return tuple(found for found in imports if _is_of_tasks(found, given, files, index))


def _is_of_tasks(
    found: ThirdPartyImport,
    given: Mapping[str, set[str | None]],
    files: Mapping[str, RequirementsFile],
    index: DistributionIndex,
) -> bool:
    owners = {canonicalize_name(each.name) for each in index.owners(found.module, found.names)}
    users = [given.get(name, {None}) for name in found.inside]
    return bool(owners) and all(
        file is not None and owners <= files[file].requirements.keys() for each in users for file in each
    )


def packages_of_tasks(
    workflow: Workflow,
    files: Mapping[str, RequirementsFile],
    of_dag: tuple[Requirement, ...],
    index: DistributionIndex,
    resolve: Resolve,
) -> tuple[TaskPackages, ...]:
    """Return what each group of tasks has that the configuration gives the same file, by number.

    Args:
        workflow: The DAG, with what its tasks are given.
        files: The requirements files, by the name that the configuration has for them.
        of_dag: What the DAG's package needs.
        index: What is installed where the DAG was parsed.
        resolve: Returns what the DAG needs with more that is wanted, in the versions that are installed.
    """
    tasks: dict[Packages, list[str]] = {}
    for task in workflow.tasks:
        if task.packages is not None:
            tasks.setdefault(task.packages, []).append(task.task_id)
    return tuple(
        TaskPackages(
            given=given,
            task_ids=tuple(tasks[given]),
            requirements=_requirements(files[given.file], of_dag, index, resolve),
            constraints=_constraints(files[given.file]),
        )
        for given in sorted(tasks, key=lambda each: each.number)
    )


def _requirements(
    file: RequirementsFile, of_dag: tuple[Requirement, ...], index: DistributionIndex, resolve: Resolve
) -> tuple[Requirement, ...]:
    named = dict(file.requirements)
    kept = {canonicalize_name(each.name): each for each in of_dag}
    if all(_is_installed(wanted, file, index) for wanted in named.values()):
        found = resolve(named.values())
        return tuple(
            kept[key] if key in kept and key not in named else each
            for each in found
            for key in [canonicalize_name(each.name)]
        )
    added = [
        Requirement(
            name=wanted.name,
            version="",
            modules=(),
            provided=False,
            reason=f"named in {wanted.place}",
            hashes=wanted.hashes,
            line=wanted.line,
        )
        for wanted in named.values()
    ]
    rest = [each for key, each in kept.items() if key not in named]
    return tuple(sorted([*rest, *added], key=lambda each: canonicalize_name(each.name)))


def _is_installed(wanted: Wanted, file: RequirementsFile, index: DistributionIndex) -> bool:
    """Return True if the version that is installed is one that the file allows."""
    distribution, constraint = index.get(wanted.name), file.constraints.get(canonicalize_name(wanted.name))
    return (
        distribution is not None
        and " @ " not in wanted.line
        and all(
            each.specifier.contains(distribution.version, prereleases=True)
            for each in (wanted, constraint)
            if each is not None
        )
    )


def _constraints(file: RequirementsFile) -> tuple[str, ...]:
    return tuple(sorted(f"{each.name}{each.specifier}" for each in file.constraints.values()))


def unread_requirements(workflow: Workflow, files: Mapping[str, RequirementsFile]) -> tuple[Finding, ...]:
    """Return a finding for each line of the tasks' files that names what cannot be packed: a folder, or an address."""
    given = dict.fromkeys(task.packages.file for task in workflow.tasks if task.packages)
    return tuple(
        rules.UNREAD_TASK_REQUIREMENT.at(
            workflow.span,
            f"{place} cannot be packed for the tasks that need it: {line}",
            "name a distribution: name==version, or name @ https://... for one that is in no index",
            dag_id=workflow.dag_id,
        )
        for file in given
        for place, line in files[file].unread
        if not line.startswith(("-c", "--constraint"))
    )


def only_for(dag_id: str, found: ThirdPartyImport, task_ids: Iterable[str]) -> Finding:
    """Return what it means that only these tasks have what is imported."""
    return rules.ONLY_FOR_TASKS.at(
        SourceSpan(found.file, found.line),
        f"{found.module} is packed for {', '.join(task_ids)} alone; another task that imports it fails",
        "nothing if no other task does; else name it in the requirements of that task, too",
        dag_id=dag_id,
    )


def about_apart(workflow: Workflow, apart: Iterable[ThirdPartyImport]) -> tuple[Finding, ...]:
    """Return a finding for each import that is left to the packages of tasks."""
    return tuple(
        only_for(
            workflow.dag_id,
            found,
            [task.task_id for task in workflow.tasks if _function_of(task) in found.inside],
        )
        for found in apart
    )


def _function_of(task: Task) -> str:
    """Return module and name of the function that a task calls, as imports in it say where they stand; "" for none."""
    called = value_of(task.attributes, "python_callable")
    return ".".join(called.split(".")[-2:]) if isinstance(called, str) else ""


def met(found: ThirdPartyImport, packages: TaskPackages, modules: frozenset[str]) -> bool:
    """Return True if the packages of some tasks bring what is imported.

    ``modules`` are those that uv adds; where nobody knows them, the distribution has to have the module's name.
    """
    top = found.module.partition(".")[0]
    return top in modules or canonicalize_name(top) in {
        canonicalize_name(each.name) for each in packages.added
    }
