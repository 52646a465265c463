"""What a generated DAG consists of: what the generator, the writer of DAG files and the scheduler's model share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Any, Literal, final

Kind = Literal["python", "taskflow", "operator", "empty", "bash", "branch", "short_circuit"]
Role = Literal["work", "setup", "teardown"]
Outcome = Literal["success", "skip", "fail", "fail_for_good", "flaky"]

RETURN_VALUE = "return_value"
WITH_CODE: tuple[Kind, ...] = ("python", "taskflow", "operator", "branch", "short_circuit")
"""Kinds whose work is a Python function: they can push, pull and end in every way."""
EARLY_RULES = ("one_success", "one_failed", "one_done")
"""Rules that let a task start while some of its upstream tasks are still running."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """An `xcom_pull` of one task, or of a list of tasks."""

    task_ids: tuple[str, ...]
    key: str = RETURN_VALUE
    listed: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """The output of an upstream task, given to a TaskFlow function."""

    task_id: str
    key: str = RETURN_VALUE


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlan:
    """A task and what it will do.

    Attributes:
        task_id: With the ids of the groups that it is in.
        taskflow: Written with the decorator; branches and short circuits have both forms.
        outcome: How it ends; ``flaky`` fails on its first try only.
        value: What it returns (a Python literal or a datetime); None is not pushed.
        passes_on: It returns what it pulled beside its value.
        chooses: What a branch returns.
        holds: What the condition of a short circuit says.
        fails_run: A teardown whose failure fails the run (Airflow's ``on_failure_fail_dagrun``).
        cascades: A short circuit skips everything below it (Airflow's ``ignore_downstream_trigger_rules``).
    """

    task_id: str
    kind: Kind = "python"
    taskflow: bool = False
    rule: str = "all_success"
    role: Role = "work"
    fails_run: bool = False
    outcome: Outcome = "success"
    retries: int = 0
    value: Any = None
    passes_on: bool = False
    pushes_result: bool = True
    multiple_outputs: bool = False
    pushes: tuple[tuple[str, Any], ...] = ()
    pulls: tuple[Pull, ...] = ()
    arguments: tuple[Argument, ...] = ()
    chooses: str | tuple[str, ...] | None = None
    holds: bool = True
    cascades: bool = True

    @property
    def label(self) -> str:
        """The id without groups."""
        return self.task_id.rpartition(".")[2]

    @property
    def group(self) -> str:
        """The id of the innermost group, or nothing."""
        return self.task_id.rpartition(".")[0]

    @property
    def name(self) -> str:
        """The id as a Python name."""
        return self.task_id.replace(".", "__")


@final
@dataclass(frozen=True, kw_only=True)
class DagPlan:
    """A DAG.

    Attributes:
        tasks: In topological order; the tasks of a group stand together.
        edges: Pairs of ids in the order in which the file sets them; an end may be a group.
        fail_fast: It stops at the first failure (Airflow 2's ``fail_stop``).
    """

    dag_id: str
    tasks: tuple[TaskPlan, ...]
    edges: tuple[tuple[str, str], ...] = ()
    fail_fast: bool = False

    @cached_property
    def by_id(self) -> dict[str, TaskPlan]:
        """The tasks by their ids."""
        return {task.task_id: task for task in self.tasks}

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """All groups, outer ones first."""
        found: dict[str, None] = {}
        for task in self.tasks:
            parts = task.group.split(".") if task.group else []
            found.update(dict.fromkeys(".".join(parts[: depth + 1]) for depth in range(len(parts))))
        return tuple(found)

    @cached_property
    def upstream(self) -> dict[str, tuple[str, ...]]:
        """Direct upstream tasks of each task; edges of groups are those of their roots and leaves."""
        return _resolved(self.tasks, self.edges)

    @cached_property
    def downstream(self) -> dict[str, tuple[str, ...]]:
        """Direct downstream tasks of each task."""
        return {
            task.task_id: tuple(
                other.task_id for other in self.tasks if task.task_id in self.upstream[other.task_id]
            )
            for task in self.tasks
        }

    @cached_property
    def above(self) -> dict[str, frozenset[str]]:
        """All tasks upstream of each task, direct or not."""
        return self._closure(self.upstream, [task.task_id for task in self.tasks])

    @cached_property
    def below(self) -> dict[str, frozenset[str]]:
        """All tasks downstream of each task, direct or not."""
        return self._closure(self.downstream, [task.task_id for task in reversed(self.tasks)])

    @staticmethod
    def _closure(direct: dict[str, tuple[str, ...]], order: list[str]) -> dict[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for task_id in order:
            found[task_id] = frozenset(direct[task_id]).union(*(found[other] for other in direct[task_id]))
        return found

    @cached_property
    def needed_setups(self) -> dict[str, tuple[str, ...]]:
        """The setups that have to succeed for each task without being its direct upstream.

        Source: `AbstractOperator.get_upstreams_only_setups`.
        """
        return {task.task_id: self._needed_by(task) for task in self.tasks}

    def _needed_by(self, task: TaskPlan) -> tuple[str, ...]:
        if task.role == "teardown":
            return ()
        found = []
        for name in sorted(self.above[task.task_id] - set(self.upstream[task.task_id])):
            teardowns = {other for other in self.downstream[name] if self.by_id[other].role == "teardown"}
            if self.by_id[name].role == "setup" and (not teardowns or teardowns & self.below[task.task_id]):
                found.append(name)
        return tuple(found)

    @cached_property
    def leaves(self) -> tuple[str, ...]:
        """The tasks that decide about the run's state (source: `DagRun._tis_for_dagrun_state`)."""

        def counts(name: str) -> bool:
            return self.by_id[name].role != "teardown" or self.by_id[name].fails_run

        last = [name for name in self.by_id if counts(name) and not any(map(counts, self.downstream[name]))]
        return tuple(last or (name for name in self.by_id if not self.downstream[name]))

    @property
    def in_a_row(self) -> bool:
        """Whether no two tasks can run side by side, teardowns excepted."""
        return all(
            one.role == other.role == "teardown"
            or other.task_id in self.above[one.task_id] | self.below[one.task_id]
            for one, other in combinations(self.tasks, 2)
        )

    def members(self, group: str) -> tuple[str, ...]:
        """Return the tasks in a group and in the groups within it."""
        return tuple(task.task_id for task in self.tasks if task.task_id.startswith(f"{group}."))

    def with_task(self, task: TaskPlan) -> DagPlan:
        """Return the plan with a task changed."""
        return replace(self, tasks=tuple(task if old.task_id == task.task_id else old for old in self.tasks))


def _resolved(tasks: tuple[TaskPlan, ...], edges: tuple[tuple[str, str], ...]) -> dict[str, tuple[str, ...]]:
    """Apply the edges one after the other: what the roots of a group are depends on the edges set before.

    Arguments come first, for they make their edges when the task is made.
    """
    upstream = {task.task_id: {argument.task_id for argument in task.arguments} for task in tasks}

    def members(node: str) -> set[str]:
        return (
            {node}
            if node in upstream
            else {task_id for task_id in upstream if task_id.startswith(f"{node}.")}
        )

    for before, after in edges:
        first, second = members(before), members(after)
        leaves = first - {parent for task_id in first for parent in upstream[task_id]}
        roots = {task_id for task_id in second if not upstream[task_id] & second}
        for root in roots:
            upstream[root] |= leaves
    return {
        task.task_id: tuple(other.task_id for other in tasks if other.task_id in upstream[task.task_id])
        for task in tasks
    }
