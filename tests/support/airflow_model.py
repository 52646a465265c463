"""A model of Airflow's scheduler, small enough to try every order in which tasks can finish.

A pass of the scheduler looks at one snapshot of the finished task instances and decides for all others at once; tasks
start and finish at any time between passes. `possible_outcomes` follows every interleaving of passes, starts and ends,
and returns everything that a run can end with. Sources: `DagRun.update_state`, `TriggerRuleDep`, `SkipMixin`, and the
execution API's `ti_skip_downstream`, which leaves tasks alone that are running, successful or failed. Of a DAG with
`fail_fast`, the first failure skips whatever has neither succeeded nor failed, and fails what is running.

`DAG.test` runs what a pass has scheduled one after the other, even if one of these skips another of them; the scheduler
would find the skip before it starts that task. Both are results here, for the skipped task may also have been started
first.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from airflow_oracle import plain
from airflow_rules import FINISHED, judge
from dag_behaviour import attempt, skipped_by
from order_sensitivity import relevant_tasks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dag_plan import DagPlan

BUSY = ("queued", "running")
LIMIT = 20_000
"""Snapshots of one DAG that are looked at before it is given up."""


class TooManyOrdersError(Exception):
    """There are more orders than it is sensible to try."""


@final
@dataclass(frozen=True, slots=True)
class Instance:
    """A task instance at one moment; ``pushed`` is a number that stands for its XComs."""

    state: str = "none"
    tries: int = 0
    pushed: int = 0


_Snapshot = tuple[Instance, ...]
_FRESH = Instance()


def possible_outcomes(plan: DagPlan, *, major: int = 3, limit: int = LIMIT) -> dict[str, dict[str, Any]]:
    """Return all outcomes of a run of the DAG, by a text that identifies each.

    An outcome has the form of the oracle's: ``run_state``, ``tasks``, ``xcom``.

    Raises:
        TooManyOrdersError: There are more than ``limit`` snapshots.
    """
    model = _Model(plan, major)
    start = (_FRESH,) * len(plan.tasks)
    waiting, known = [start], {start}
    found: dict[str, dict[str, Any]] = {}
    while waiting:
        snapshot = waiting.pop()
        following = set(model.following(snapshot))
        if not following:
            outcome = model.outcome(snapshot)
            found[fingerprint(outcome)] = outcome
        waiting.extend(following - known)
        known |= following
        if len(known) > limit:
            raise TooManyOrdersError(plan.dag_id)
    return found


def fingerprint(outcome: Mapping[str, Any]) -> str:
    """Return a text that is the same for equal outcomes.

    The order of ids in the notes of skipping tasks means nothing, and 2.0 is 2: Airflow's API does not keep them apart.
    """
    kept = {"run_state": outcome["run_state"], "tasks": outcome["tasks"], "xcom": _tidy(outcome["xcom"])}
    text = json.dumps(kept, sort_keys=True, default=plain)
    return json.dumps(json.loads(text, parse_float=_number), sort_keys=True)


def _number(text: str) -> float:
    value = float(text)
    return int(value) if value.is_integer() else value


def _tidy(xcom: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        task_id: {
            key: {name: sorted(ids) for name, ids in value.items()} if key == "skipmixin_key" else value
            for key, value in values.items()
        }
        for task_id, values in xcom.items()
    }


class _Model:
    """The moves that are possible from a snapshot."""

    def __init__(self, plan: DagPlan, major: int) -> None:
        self.plan = plan
        self.major = major
        self.position = {task.task_id: index for index, task in enumerate(plan.tasks)}
        self.relevant = relevant_tasks(plan)
        skips = {task.task_id: skipped_by(plan, task) for task in plan.tasks}
        self.targets = frozenset().union(*skips.values()) | frozenset(plan.by_id if plan.fail_fast else ())
        self.skipping_parents = [
            [self.position[name] for name in plan.upstream[task.task_id] if task.task_id in skips[name]]
            for task in plan.tasks
        ]
        self.pushed: list[Mapping[str, Any]] = [{}]
        self.numbers = {repr({}): 0}

    def following(self, snapshot: _Snapshot) -> Iterator[_Snapshot]:
        """Return the snapshots that can be next; of tasks whose order means nothing, only the first moves."""
        busy = [index for index, instance in enumerate(snapshot) if instance.state in BUSY]
        for index in busy:
            if self.plan.tasks[index].task_id not in self.relevant:
                yield self._end(snapshot, index)
                return
        after = self._pass(snapshot)
        if after != snapshot:
            yield after
        for index in busy:
            task_id, instance = self.plan.tasks[index].task_id, snapshot[index]
            if instance.state == "queued" and task_id in self.targets:
                yield _put(snapshot, index, Instance("running", instance.tries, 0))
            else:
                yield self._end(snapshot, index)

    def outcome(self, snapshot: _Snapshot) -> dict[str, Any]:
        """Return the last snapshot in the oracle's form."""
        names = [task.task_id for task in self.plan.tasks]
        failed = any(
            state in ("failed", "upstream_failed") for state in self._ended(snapshot, self.plan.leaves)
        )
        xcom = {
            name: self.pushed[one.pushed] for name, one in zip(names, snapshot, strict=True) if one.pushed
        }
        outcome = {
            "run_state": "failed" if failed else "success",
            "tasks": {
                name: {"state": one.state, "tries": one.tries}
                for name, one in zip(names, snapshot, strict=True)
            },
            "xcom": xcom,
        }
        plain_outcome: dict[str, Any] = json.loads(json.dumps(outcome, default=plain))
        return plain_outcome

    def _pass(self, snapshot: _Snapshot) -> _Snapshot:
        return tuple(self._scheduled(snapshot, index) for index in range(len(snapshot)))

    def _scheduled(self, snapshot: _Snapshot, index: int) -> Instance:
        instance = snapshot[index]
        if instance.state == "retry":
            if any(snapshot[parent].state == "success" for parent in self.skipping_parents[index]):
                return Instance("skipped", instance.tries, instance.pushed)
            return Instance("queued", instance.tries + 1, instance.pushed)
        if instance.state != "none":
            return instance
        state = self._verdict(snapshot, index)
        return instance if state == "wait" else Instance(state, int(state == "queued"), 0)

    def _verdict(self, snapshot: _Snapshot, index: int) -> str:
        """Return the rule's verdict, unless setups or, for a teardown, unfinished work stand against it."""
        task = self.plan.tasks[index]
        names = self.plan.upstream[task.task_id]
        setups = [name for name in names if self.plan.by_id[name].role == "setup"]
        verdict = judge(task.rule, self._ended(snapshot, names), len(names), self._ended(snapshot, setups))
        if not names or task.rule == "always":
            return verdict
        needed = self.plan.needed_setups[task.task_id]
        ended = self._ended(snapshot, needed)
        if "failed" in ended or "upstream_failed" in ended:
            return "upstream_failed"
        if "skipped" in ended:
            return "skipped"
        between = self._between(task.task_id, setups) if task.role == "teardown" else ()
        waits = len(ended) < len(needed) or len(self._ended(snapshot, between)) < len(between)
        return "wait" if waits and verdict == "queued" else verdict

    def _between(self, teardown: str, setups: list[str]) -> Sequence[str]:
        """Return the tasks that a teardown waits for beside its upstream: in Airflow 3 those since its setups."""
        if self.major < 3:
            return ()
        since = frozenset().union(*(self.plan.below[name] for name in setups))
        return tuple(since & self.plan.above[teardown])

    def _ended(self, snapshot: _Snapshot, names: Iterable[str]) -> list[str]:
        states = (snapshot[self.position[name]].state for name in names)
        return [state for state in states if state in FINISHED]

    def _end(self, snapshot: _Snapshot, index: int) -> _Snapshot:
        task, instance = self.plan.tasks[index], snapshot[index]
        store = {
            other.task_id: self.pushed[one.pushed]
            for other, one in zip(self.plan.tasks, snapshot, strict=True)
            if one.pushed
        }
        ended = attempt(self.plan, task, instance.tries, store, major=self.major)
        after = list(_put(snapshot, index, Instance(ended.state, instance.tries, self._number(ended.pushed))))
        for name in ended.skips:
            target = self.position[name]
            after[target] = self._skipped(after[target])
        if self.plan.fail_fast and ended.state == "failed":
            after = [self._stopped(number, one) for number, one in enumerate(after)]
        return tuple(after)

    def _stopped(self, index: int, instance: Instance) -> Instance:
        """Return what becomes of a task when another one has failed for good (source: `_stop_remaining_tasks`)."""
        if self.plan.tasks[index].role == "teardown" or instance.state in ("success", "failed"):
            return instance
        if instance.state == "running":
            return Instance("failed", instance.tries, instance.pushed)
        return Instance("skipped", instance.tries - (instance.state == "queued"), instance.pushed)

    def _skipped(self, instance: Instance) -> Instance:
        """A try that was only queued never was one; Airflow 2 skips even what has finished, as its last word."""
        kept = ("running", "success", "failed") if self.major > 2 else ("running",)
        if instance.state in kept:
            return instance
        return Instance("skipped", instance.tries - (instance.state == "queued"), instance.pushed)

    def _number(self, pushed: Mapping[str, Any]) -> int:
        text = repr(sorted(pushed.items(), key=lambda item: item[0]))
        text = repr({}) if not pushed else text
        if text not in self.numbers:
            self.numbers[text] = len(self.pushed)
            self.pushed.append(pushed)
        return self.numbers[text]


def _put(snapshot: _Snapshot, index: int, instance: Instance) -> _Snapshot:
    return (*snapshot[:index], instance, *snapshot[index + 1 :])
