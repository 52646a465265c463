"""What one try of a planned task does: the meaning of the code that the writer puts into the DAG file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, final

from dag_plan import RETURN_VALUE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dag_plan import Argument, DagPlan, Pull, TaskPlan

SKIPPED_KEY = "skipmixin_key"


@final
@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a try: its state, what it pushed, and which tasks it skips."""

    state: Literal["success", "failed", "skipped", "retry"]
    pushed: Mapping[str, Any] = field(default_factory=dict)
    skips: frozenset[str] = frozenset()


def attempt(
    plan: DagPlan, task: TaskPlan, tries: int, store: Mapping[str, Mapping[str, Any]], *, major: int
) -> Ended:
    """Return how the given try (from 1) ends if it sees the XComs in the store.

    Args:
        plan: The DAG.
        task: The task.
        tries: Number of the try.
        store: {task id: {key: value}} as Python values.
        major: Major version of Airflow.
    """
    if task.kind == "empty":
        return Ended("success")
    if task.kind == "bash":
        return _finish(task, tries, {}, _line(task, store), skips=frozenset(), multiple=False)
    lacking = [argument for argument in task.arguments if _lacks(plan, argument, store, major)]
    if lacking:
        return _failed(task, tries, {})
    seen = [store.get(one.task_id, {}).get(one.key) for one in task.arguments]
    seen += [_pulled(pull, store, major) for pull in task.pulls]
    pushed = dict(task.pushes)
    if task.kind in ("branch", "short_circuit"):
        return _decide(plan, task, tries, pushed, major)
    value = {"value": task.value, "seen": seen} if task.passes_on else task.value
    return _finish(task, tries, pushed, value, skips=frozenset(), multiple=task.multiple_outputs)


def skipped_by(plan: DagPlan, task: TaskPlan) -> frozenset[str]:
    """Return the tasks that a branch or a short circuit skips if it succeeds.

    Sources: `SkipMixin.skip_all_except`, `ShortCircuitOperator.execute`.
    """
    direct = frozenset(plan.downstream[task.task_id])
    if task.kind == "short_circuit":
        if task.holds:
            return frozenset()
        skipped = plan.below[task.task_id] if task.cascades else direct
        return frozenset(name for name in skipped if plan.by_id[name].role != "teardown")
    if task.kind != "branch":
        return frozenset()
    followed = _followed(plan, task)
    return direct - followed.union(*(plan.below[chosen] for chosen in followed))


def _followed(plan: DagPlan, task: TaskPlan) -> frozenset[str]:
    chosen = task.chooses
    ids = () if chosen is None else (chosen,) if isinstance(chosen, str) else chosen
    found: set[str] = set()
    for name in ids:
        found.update([name] if name in plan.by_id else roots(plan, name))
    return frozenset(found)


def roots(plan: DagPlan, group: str) -> tuple[str, ...]:
    """Return the tasks of a group that have no upstream task within it."""
    members = set(plan.members(group))
    return tuple(name for name in plan.members(group) if not members & set(plan.upstream[name]))


def _decide(plan: DagPlan, task: TaskPlan, tries: int, pushed: dict[str, Any], major: int) -> Ended:
    skips = skipped_by(plan, task)
    direct = plan.downstream[task.task_id]
    note: dict[str, Any] = {}
    value: Any = task.holds
    if task.kind == "branch":
        value = task.chooses
        if direct:
            note = {SKIPPED_KEY: {"followed": sorted(set(direct) - skips)}}
    elif skips:
        note = {SKIPPED_KEY: {"skipped": sorted(skips)}}
    # Airflow 3 skips by an exception, so that the result is never pushed
    value = None if skips and major > 2 else value
    ended = _finish(task, tries, pushed, value, skips=skips, multiple=False)
    return Ended(ended.state, {**ended.pushed, **note}, skips) if ended.state == "success" else ended


def _finish(
    task: TaskPlan, tries: int, pushed: dict[str, Any], value: Any, *, skips: frozenset[str], multiple: bool
) -> Ended:
    if task.outcome == "skip":
        return Ended("skipped", pushed)
    if task.outcome == "fail_for_good":
        return Ended("failed", pushed)
    if task.outcome == "fail" or (task.outcome == "flaky" and tries == 1):
        return _failed(task, tries, pushed)
    if task.pushes_result and value is not None:
        pushed = {**pushed, **(value if multiple else {}), RETURN_VALUE: value}
    return Ended("success", pushed, skips)


def _failed(task: TaskPlan, tries: int, pushed: Mapping[str, Any]) -> Ended:
    return Ended("retry" if tries <= task.retries else "failed", pushed)


def _line(task: TaskPlan, store: Mapping[str, Mapping[str, Any]]) -> str:
    words = [str(_pulled(pull, store, major=3)) for pull in task.pulls]
    return " ".join([str(task.value), *words])


def _pulled(pull: Pull, store: Mapping[str, Mapping[str, Any]], major: int) -> Any:
    values = [store.get(task_id, {}).get(pull.key) for task_id in pull.task_ids]
    if not pull.listed:
        return values[0]
    # Airflow 2 selects the rows that exist, also those of a None that was pushed, Airflow 3 asks task by task
    return (
        values if major > 2 else [store[name][pull.key] for name in pull.task_ids if _has(store, name, pull)]
    )


def _has(store: Mapping[str, Mapping[str, Any]], task_id: str, pull: Pull) -> bool:
    return pull.key in store.get(task_id, {})


def _lacks(plan: DagPlan, argument: Argument, store: Mapping[str, Mapping[str, Any]], major: int) -> bool:
    """Return whether the argument raises XComNotFound; Airflow 3 takes None for nothing (`PlainXComArg.resolve`)."""
    if argument.key == RETURN_VALUE or plan.by_id[argument.task_id].multiple_outputs:
        return False
    pushed = store.get(argument.task_id, {})
    return argument.key not in pushed or (major > 2 and pushed[argument.key] is None)
