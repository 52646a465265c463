"""How often a sensor may look, so that an execution's history never gets too long.

Airflow's usual sensor waits for up to a week and looks every minute: 10,080 pokes, and an execution's history holds
25,000 events (AWS: "Step Functions service quotas"). So each sensor gets a part of the history. It looks at its own
interval for as long as half of its part lasts; after that the interval grows with the time it has waited already, just
so much that the other half lasts until it times out. So does from the beginning one whose pokes leave something behind:
each costs a Wait.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from orkestra_bridge.lowering.rules import DEFERRED, SLOWER_POKES, TOO_MANY_POKES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Polling, Task, Workflow

HISTORY = 25_000
EVENTS_PER_POKE = 3
"""A retry: scheduled, started, failed."""
EVENTS_PER_WAIT = 7
"""A round: scheduled, started, failed, exited; the Wait entered and exited; entered again."""
_SHARES = (0.0, *(round(0.001 * 1.1**step, 4) for step in range(80)))
LARGEST_BUDGET = 16_000
"""Events: more would only make a long wait dearer."""
MAPPED_BUDGET = 400
"""Events of one instance of a sensor of which only the run knows how many there are."""
_RESERVE = 1_000
"""Events that are nobody's: the machine's own, and those of joins."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a sensor looks.

    Attributes:
        interval: Whole seconds between pokes.
        steady: Pokes at that interval, in one try.
        share: The part of the time waited so far that any other interval has at least; 0 if all of them fit.
    """

    interval: int
    steady: int
    share: float

    @property
    def steady_seconds(self) -> int:
        """For how long the interval is Airflow's own."""
        return self.interval * self.steady


def pace_of(workflow: Workflow, task: Task) -> Pace:
    """Return the pace at which a sensor's pokes fit into its share of the execution's history."""
    polling = task.polling
    if polling is None:
        return NO_POKES
    events = budget_of(workflow, task) // (task.retry.attempts + 1)
    interval = max(1, math.ceil(polling.interval))
    if _loops(polling):
        return Pace(interval=interval, steady=0, share=_share(polling, events // EVENTS_PER_WAIT))
    share = _share(polling, events // 2 // EVENTS_PER_WAIT)
    needed = math.ceil(polling.timeout / interval) + 1
    return Pace(interval=interval, steady=max(1, min(needed, events // 2 // EVENTS_PER_POKE)), share=share)


NO_POKES = Pace(interval=1, steady=0, share=0.0)
"""Of a task that waits between its tries only."""


def waiting_events(workflow: Workflow, task: Task) -> int:
    """Return the events that one instance may write to wait, besides those of its retriers."""
    if task.polling is not None:
        return budget_of(workflow, task) // 2
    return EVENTS_PER_WAIT * task.retry.attempts if task.tries_by_policy else 0


def budget_of(workflow: Workflow, task: Task) -> int:
    """Return the events that one instance of a sensor may write, all of its tries together."""
    if not _instances(task):
        return MAPPED_BUDGET
    known = [other for other in workflow.tasks if _instances(other)]
    others = sum((5 + EVENTS_PER_POKE * other.retry.attempts) * _instances(other) for other in known)
    room = (HISTORY - _RESERVE - others) // (1 if len(known) == len(workflow.tasks) else 2)
    sensors = sum(_instances(other) for other in known if other.polling)
    return max(0, min(LARGEST_BUDGET, room // max(1, sensors)))


def _instances(task: Task) -> int:
    """Return how many instances there will be, 0 where only the run knows."""
    if not task.mapped:
        return 1
    return (task.expansion.length if task.expansion else None) or 0


def _share(polling: Polling, rounds: int) -> float:
    """Return the smallest share with which so many rounds reach the timeout."""
    return next((share for share in _SHARES if _reaches(polling, share, rounds)), _SHARES[-1])


def _reaches(polling: Polling, share: float, rounds: int) -> bool:
    least = max(1.0, polling.interval / 2 if polling.exponential else polling.interval)
    now = 0.0
    for _ in range(rounds):
        now += max(least, share * now)
        if now > polling.timeout:
            return True
    return False


def about_polling(workflow: Workflow, task: Task) -> Iterator[Finding]:
    """Yield what a sensor does differently from Airflow in time."""
    polling, pace = task.polling, pace_of(workflow, task)
    assert polling is not None, "only tasks that poke are asked about"
    about = {"dag_id": workflow.dag_id, "task_id": task.task_id, "attribute": "poke_interval"}
    if polling.resumes and task.calls is None:
        yield DEFERRED.at(
            task.span,
            "there is no triggerer: its trigger is run in the function for up to 20 s, and again after its own interval, "
            "until it fires",
            "nothing, unless the trigger has to run without a break: then set deferrable=False",
            dag_id=workflow.dag_id,
            task_id=task.task_id,
            attribute="deferrable",
        )
    if pace.share >= _SHARES[-1]:
        yield TOO_MANY_POKES.at(
            task.span,
            f"the pokes of all sensors together write more than {HISTORY:,} events, which is all that one execution "
            "can have",
            "lower timeout or retries, raise poke_interval, or split the DAG",
            **about,
        )
    elif pace.share and pace.steady_seconds < polling.timeout and not _loops(polling):
        yield SLOWER_POKES.at(
            task.span,
            f"the sensor looks every {pace.interval} s for {_duration(pace.steady_seconds)}; after that it waits "
            f"{pace.share:.1%} of the time that it has waited so far, so that the pokes of "
            f"{_duration(polling.timeout)} fit into an execution's history",
            f"nothing if it never waits longer than {_duration(pace.steady_seconds)}; else raise poke_interval or "
            "lower timeout",
            **about,
        )


def _loops(polling: Polling) -> bool:
    """Return True if every poke costs a Wait."""
    return polling.exponential or polling.resumes


def _duration(seconds: float) -> str:
    for name, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.3g} {name}"
    return f"{seconds:g} seconds"
