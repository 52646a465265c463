"""Branching and short-circuiting: which downstream tasks are skipped, as Airflow's SkipMixin says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from airflow._impl.exceptions import AirflowException, DownstreamTasksSkipped
from airflow._impl.logs import LoggingMixin
from airflow._impl.operator import BaseOperator
from airflow._impl.settings import SETTINGS

XCOM_SKIPMIXIN_KEY = "skipmixin_key"
XCOM_SKIPMIXIN_SKIPPED = "skipped"
XCOM_SKIPMIXIN_FOLLOWED = "followed"


class SkipMixin(LoggingMixin):
    """For tasks that decide which tasks after them are skipped."""

    def skip(self, *given: Any, ti: Any = None, tasks: Any = (), **_older: Any) -> None:
        """Skip these tasks: ``ti, tasks`` in Airflow 3, ``dag_run, execution_date, tasks`` in Airflow 2."""
        position = 2 if SETTINGS.major == 2 else 1
        if len(given) > position:
            tasks = given[position]
        if given and SETTINGS.major > 2:
            ti = given[0]
        ids = [task.task_id for task in tasks if hasattr(task, "task_id")]
        if not ids:
            return
        ti = ti or _running()
        ti.xcom_push(key=XCOM_SKIPMIXIN_KEY, value={XCOM_SKIPMIXIN_SKIPPED: ids})
        skip_downstream(ti, ids)

    def skip_all_except(self, ti: Any, branch_task_ids: Any) -> None:
        """Skip the direct downstream tasks that are neither chosen nor downstream of a chosen one.

        Raises:
            AirflowException: If something else than ids of tasks was chosen.
        """
        task = ti.task
        chosen = _chosen(branch_task_ids)
        self.log.info("Following branch %s", chosen)
        invalid = chosen - set(task.dag.task_ids)
        if invalid:
            raise AirflowException(
                f"'branch_task_ids' must contain only valid task_ids. Invalid tasks found: {invalid}."
            )
        downstream = sorted(task.downstream_task_ids)
        if not downstream:
            return
        reached = set(chosen)
        for task_id in chosen:
            reached |= task.dag.get_task(task_id).get_flat_relative_ids(upstream=False)
        followed = [task_id for task_id in downstream if task_id in reached]
        skipped = [task_id for task_id in downstream if task_id not in reached]
        self.log.info("Skipping tasks %s", skipped)
        ti.xcom_push(key=XCOM_SKIPMIXIN_KEY, value={XCOM_SKIPMIXIN_FOLLOWED: followed})
        skip_downstream(ti, skipped)


def _running() -> Any:
    from airflow._impl.current import get_current_context

    return get_current_context()["ti"]


def _chosen(branch: Any) -> set[str]:
    if branch is None:
        return set()
    if isinstance(branch, str):
        return {branch}
    if not isinstance(branch, Iterable):
        raise AirflowException(
            "'branch_task_ids' must be either None, a task ID, or an Iterable of IDs, "
            f"but got {type(branch).__name__!r}."
        )
    chosen = set(branch)
    invalid = {(item, type(item).__name__) for item in chosen if not isinstance(item, str)}
    if invalid:
        raise AirflowException(
            "Unable to branch to the specified tasks. "
            f"The branching function returned invalid 'branch_task_ids': {invalid}. "
            "Please check that your function returns an Iterable of valid task IDs that exist in your DAG."
        )
    return chosen


def skip_downstream(ti: Any, task_ids: list[str]) -> None:
    """Mark tasks to be skipped; in Airflow 3 this ends the task with a success that pushes no return value.

    Raises:
        DownstreamTasksSkipped: In Airflow 3, if there is anything to skip.
    """
    ti.skipped_task_ids.extend(task_ids)
    if task_ids and ti.map_index < 0 and SETTINGS.major > 2:
        raise DownstreamTasksSkipped(tasks=task_ids)


class BranchMixIn(SkipMixin):
    """For tasks that choose the branch to follow."""

    def do_branch(self, context: Any, branches_to_execute: Any) -> Any:
        """Skip what was not chosen and return the choice."""
        self.log.info("Branch into %s", branches_to_execute)
        ti = context["ti"]
        chosen = None if branches_to_execute is None else _expand_groups(ti.task.dag, branches_to_execute)
        self.skip_all_except(ti, chosen)
        return branches_to_execute


def _expand_groups(dag: Any, branches: Any) -> list[Any]:
    """Return the choice with each task group replaced by the tasks that it begins with."""
    if isinstance(branches, str) or not isinstance(branches, Iterable):
        branches = [branches]
    groups = dag.task_group_dict
    expanded: list[Any] = []
    for branch in branches:
        found = groups.get(branch) if isinstance(branch, str) else None
        expanded.extend([task.task_id for task in found.roots] if found else [branch])
    return expanded


class BaseBranchOperator(BaseOperator, BranchMixIn):
    """Base of branching operators; subclasses say what to choose."""

    inherits_from_skipmixin = True

    def choose_branch(self, context: Any) -> Any:
        """Return a task id, a task group id, a list of them, or None for none."""
        raise AirflowException(f"{self.task_type} does not define choose_branch(context)")

    def execute(self, context: Any) -> Any:
        return self.do_branch(context, self.choose_branch(context))
