"""What the configuration gives a DAG and its tasks: memory, time, packages, and the events that start it."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from orkestra_bridge.ir.model import Given, SourceSpan
from orkestra_bridge.ir.places import Packages
from orkestra_bridge.operators.registry import Runs, family_of
from orkestra_bridge.options import for_dag, for_task
from orkestra_bridge.passes import rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Task, Workflow
    from orkestra_bridge.options import Overrides, Pattern


def configure(workflow: Workflow, overrides: Overrides) -> Workflow:
    """Return the workflow with what it and its tasks are given."""
    if not (overrides.memory or overrides.timeout or overrides.requirements or overrides.events):
        return workflow
    of_dag = Given(
        memory=for_dag(overrides.memory, workflow.dag_id), timeout=for_dag(overrides.timeout, workflow.dag_id)
    )
    packages = packages_of_tasks(workflow, overrides)
    return replace(
        workflow,
        tasks=tuple(
            replace(task, given=_given(workflow.dag_id, task, of_dag, overrides, packages.get(task.task_id)))
            for task in workflow.tasks
        ),
        events=for_dag(overrides.events, workflow.dag_id) or (),
    )


def packages_of_tasks(workflow: Workflow, overrides: Overrides) -> dict[str, Packages]:
    """Return what each task is given that has requirements of its own, by task id: the same file, the same packages."""
    files = {
        task.task_id: file.as_posix()
        for task in workflow.tasks
        if (file := for_task(overrides.requirements, workflow.dag_id, task.task_id)) is not None
    }
    numbers = {file: number for number, file in enumerate(dict.fromkeys(files.values()), start=2)}
    return {task_id: Packages(numbers[file], file) for task_id, file in files.items()}


def _given(
    dag_id: str, task: Task, of_dag: Given, overrides: Overrides, packages: Packages | None
) -> Given | None:
    memory = for_task(overrides.memory, dag_id, task.task_id) or of_dag.memory
    timeout = for_task(overrides.timeout, dag_id, task.task_id) or of_dag.timeout
    if memory is None and timeout is None and packages is None:
        return None
    own = packages is not None or (memory, timeout) != (of_dag.memory, of_dag.timeout)
    return Given(memory=memory, timeout=timeout, packages=packages, imports=_imports(task), own=own)


def _imports(task: Task) -> bool:
    """Return True if some Python of the task's own runs in a function or an image of ours."""
    family = family_of(task)
    foreign = task.image is not None and not task.image.python
    return family is not None and family.runs is Runs.LAMBDA and not foreign


def unused_patterns(overrides: Overrides, workflows: Iterable[Workflow]) -> tuple[Finding, ...]:
    """Return a finding for each pattern that fits none of the DAGs, or no task of those that it fits: it is misspelt."""
    tasks = {workflow.dag_id: [task.task_id for task in workflow.tasks] for workflow in workflows}
    if not tasks:
        return ()
    return tuple(
        rules.FITS_NOTHING.at(
            SourceSpan(pattern.file, pattern.line),
            f"{problem}, so what it says has no effect",
            f"correct it{_meant(name, names)}, or remove it",
        )
        for pattern in dict.fromkeys(overrides.patterns)
        for problem, name, names in _unused(pattern, tasks)
    )


def _unused(pattern: Pattern, tasks: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str, Iterable[str]]]:
    """Yield what does not fit, the pattern for it, and the names that there are."""
    fitting = [dag_id for dag_id in tasks if fnmatchcase(dag_id, pattern.dag)]
    if not fitting:
        yield f"no DAG has an id like {pattern.dag!r}", pattern.dag, tasks
        return
    names = [task_id for dag_id in fitting for task_id in tasks[dag_id]]
    if not any(fnmatchcase(task_id, pattern.task) for task_id in names):
        yield f"no task of the DAGs like {pattern.dag!r} has an id like {pattern.task!r}", pattern.task, names


def _meant(name: str, names: Iterable[str]) -> str:
    close = get_close_matches(name, tuple(names), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def about_given(workflow: Workflow) -> tuple[Finding, ...]:
    """Return a finding for each task that ends sooner than its execution_timeout says, or has no use for its packages."""
    return (*_ends_sooner(workflow), *_imports_nothing(workflow))


def _imports_nothing(workflow: Workflow) -> tuple[Finding, ...]:
    return tuple(
        rules.PACKAGES_UNUSED.at(
            task.span,
            f"the configuration gives it the packages of {task.given.packages.file}, but it has no Python that could "
            f"import them: {'it runs in an image of its own' if task.image else 'nothing is executed for it'}",
            "name the tasks that do import them, or remove it",
            dag_id=workflow.dag_id,
            task_id=task.task_id,
        )
        for task in workflow.tasks
        if task.given and task.given.packages and not task.given.imports and family_of(task)
    )


def _ends_sooner(workflow: Workflow) -> tuple[Finding, ...]:
    return tuple(
        rules.ENDS_SOONER.at(
            task.span,
            f"the configuration ends it after {task.given.timeout} s, execution_timeout is "
            f"{task.execution_timeout:g} s",
            "nothing if that is meant; else give it a longer timeout, or none",
            dag_id=workflow.dag_id,
            task_id=task.task_id,
            attribute="execution_timeout",
        )
        for task in workflow.tasks
        if task.given and task.execution_timeout and task.limit != task.execution_timeout
    )
