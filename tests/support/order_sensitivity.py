"""Which tasks of a DAG may end differently if others finish in another order.

The answer errs on the safe side: a task that is not named here ends the same way in every order.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from airflow_rules import judge
from dag_behaviour import skipped_by
from dag_plan import EARLY_RULES, RETURN_VALUE

if TYPE_CHECKING:
    from dag_plan import DagPlan, TaskPlan

_BAD = frozenset({"failed", "upstream_failed"})
_MOST_COMBINATIONS = 4096


def relevant_tasks(plan: DagPlan) -> frozenset[str]:
    """Return the tasks whose order has to be tried: the sensitive ones and all that can influence them.

    Setups and fail_fast reach further than to what is downstream, so that all orders of a DAG with these are tried.
    """
    if plan.fail_fast or any(task.role != "work" for task in plan.tasks):
        return frozenset(plan.by_id)
    return _Analysis(plan).relevant()


class _Analysis:
    def __init__(self, plan: DagPlan) -> None:
        self.plan = plan
        self.skippers = {
            task.task_id: [
                name
                for name in plan.above[task.task_id]
                if task.task_id in skipped_by(plan, plan.by_id[name])
            ]
            for task in plan.tasks
        }
        self.states: dict[str, frozenset[str]] = {}
        self.before_start: dict[str, frozenset[str]] = {}
        self.before_end: dict[str, frozenset[str]] = {}
        for task in plan.tasks:
            self._add(task)

    def relevant(self) -> frozenset[str]:
        found: set[str] = set()
        for task in self.plan.tasks:
            for name in self._reasons(task):
                found |= {name} | self.plan.above[name]
        return frozenset(found)

    def _reasons(self, task: TaskPlan) -> set[str]:
        """Return the tasks whose order matters to this one; none if it always ends the same way."""
        pulled = {name for pull in task.pulls for name in pull.task_ids} | {
            one.task_id for one in task.arguments
        }
        found = pulled - self.before_start[task.task_id]
        late = [name for name in self.skippers[task.task_id] if name not in self._before_verdict(task)]
        found.update(late)
        if late:
            found.update(self.plan.downstream[task.task_id])
        if found or self._skip_meets_failure(task):
            found.add(task.task_id)
        return found

    def _skip_meets_failure(self, task: TaskPlan) -> bool:
        parents = self.plan.upstream[task.task_id]
        return task.rule == "all_success" and any(
            "skipped" in self.states[one] and self.states[other] & _BAD
            for one, other in product(parents, parents)
            if one != other
        )

    def _add(self, task: TaskPlan) -> None:
        verdicts = self._verdicts(task)
        states = set(verdicts) - {"queued"}
        if "queued" in verdicts:
            states |= _own_states(task)
        if self.skippers[task.task_id]:
            states.add("skipped")
        self.states[task.task_id] = frozenset(states)
        ends = [self._done_with(name) for name in self.plan.upstream[task.task_id]]
        first = frozenset.intersection(*ends) if ends else frozenset()
        waits = task.rule not in (*EARLY_RULES, "always")
        self.before_start[task.task_id] = (
            frozenset().union(*ends) if waits else _NOTHING if task.rule == "always" else first
        )
        ways = [self._done_with(name) for name in self.skippers[task.task_id]]
        if "queued" in verdicts:
            ways.append(self.before_start[task.task_id])
        if set(verdicts) - {"queued"}:
            ways.append(first)
        self.before_end[task.task_id] = frozenset.intersection(*ways) if ways else _NOTHING

    def _before_verdict(self, task: TaskPlan) -> frozenset[str]:
        """Return what has surely finished before the task starts, or its rule decides against it."""
        ends = [self._done_with(name) for name in self.plan.upstream[task.task_id]]
        ways = [self.before_start[task.task_id]]
        if set(self._verdicts(task)) - {"queued"}:
            ways.append(frozenset.intersection(*ends))
        return frozenset.intersection(*ways)

    def _done_with(self, name: str) -> frozenset[str]:
        return self.before_end[name] | {name}

    def _verdicts(self, task: TaskPlan) -> frozenset[str]:
        parents = self.plan.upstream[task.task_id]
        choices = [sorted(self.states[name]) for name in parents]
        size = 1
        for choice in choices:
            size *= len(choice)
        if size > _MOST_COMBINATIONS:
            return frozenset({"queued", "skipped", "upstream_failed"})
        found = {judge(task.rule, states, len(parents)) for states in product(*choices)}
        return frozenset(found | {"skipped"} if self._skip_meets_failure(task) else found)


_NOTHING: frozenset[str] = frozenset()


def _own_states(task: TaskPlan) -> set[str]:
    found = {"skip": {"skipped"}, "fail": {"failed"}, "fail_for_good": {"failed"}}.get(
        task.outcome, {"success"}
    )
    if task.outcome == "flaky" and not task.retries:
        found = {"failed"}
    if any(argument.key != RETURN_VALUE for argument in task.arguments):
        found = found | {"failed"}
    return found
