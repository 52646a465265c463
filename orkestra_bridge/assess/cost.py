"""What runs of a DAG would cost, from list prices and stated assumptions; free tiers, logs and transfers are left out.

Prices stand in `prices.json`, each with its region, its source and whether that is AWS's own page.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, final

from orkestra_bridge.assess.upcoming import moments
from orkestra_bridge.stack.zones import moment_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.ir.model import Task, Workflow
    from orkestra_bridge.options import Architecture
    from orkestra_bridge.stack.model import ScheduleView

_YEAR = timedelta(days=365)
_MONTHS = 12
_MOST_RUNS = 600_000
"""More than one a minute in a year; so that counting ends."""
_SHORTEST = 60.0
"""Seconds that MWAA Serverless charges for a task at least, and Fargate for a container."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What the price of a run depends on besides the DAG.

    Attributes:
        seconds: How long a task runs that ``durations`` does not name.
        durations: Mean seconds of a task by (dag_id, task_id).
        memory: MB of the functions, where the configuration says nothing else.
    """

    seconds: float = 30.0
    memory: int = 512
    architecture: Architecture = "arm64"
    durations: Mapping[tuple[str, str], float]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """US dollars; the monthly ones are None where the number of runs is not known.

    Attributes:
        runs: Runs in a month.
        measured: How many of the tasks have a measured duration.
        transitions, functions, containers: Of one run: Step Functions, Lambda, and Fargate.
        serverless: Of one run on MWAA Serverless.
    """

    runs: float | None
    measured: int
    transitions: float
    functions: float
    containers: float
    serverless: float

    @property
    def run(self) -> float:
        """One run on Step Functions, Lambda and Fargate."""
        return self.transitions + self.functions + self.containers

    def month(self, of_a_run: float) -> float | None:
        """Return what so much for a run makes in a month."""
        return None if self.runs is None else self.runs * of_a_run

    def to_json(self) -> dict[str, Any]:
        """Return it with the monthly amounts."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return {
            **plain, "run": self.run, "month": self.month(self.run), "serverless_month": self.month(self.serverless),
        }  # fmt: skip


@cache
def prices() -> dict[str, Any]:
    """Return the file of prices."""
    document: dict[str, Any] = json.loads(
        (files("orkestra_bridge.assess") / "prices.json").read_text("utf-8")
    )
    return document


def price(name: str) -> float:
    """Return a price; KeyError if there is none of that name."""
    return float(prices()["prices"][name]["value"])


def environment_month() -> float:
    """Return what the smallest common MWAA environment costs in a month, whatever runs there."""
    return price("mwaa_small_hour") * float(prices()["hours_per_month"])


def cost_of(
    workflow: Workflow,
    transitions: int,
    runs_in: Mapping[str, str],
    runs: float | None,
    assumptions: Assumptions,
) -> Cost:
    """Return the cost of a DAG whose machine makes so many transitions; ``runs_in`` says how its tasks run."""
    working = [task for task in workflow.tasks if runs_in[task.task_id] in _PRICES]
    seconds = {task.task_id: _seconds(workflow.dag_id, task, assumptions) for task in working}
    count = {task.task_id: _instances(task) for task in working}
    paid = dict.fromkeys(_PRICES, 0.0)
    for task in working:
        where = runs_in[task.task_id]
        paid[where] += count[task.task_id] * _PRICES[where](task, seconds[task.task_id], assumptions)
    return Cost(
        runs=runs,
        measured=sum((workflow.dag_id, task.task_id) in assumptions.durations for task in working),
        transitions=transitions * price("transition"),
        functions=paid["lambda"],
        containers=paid["container"],
        serverless=sum(count[each] * max(_SHORTEST, seconds[each]) for each in seconds)
        / 3600
        * price("mwaa_serverless_task_hour"),
    )


def _seconds(dag_id: str, task: Task, assumptions: Assumptions) -> float:
    return assumptions.durations.get((dag_id, task.task_id), assumptions.seconds)


def _in_function(task: Task, seconds: float, assumptions: Assumptions) -> float:
    rate = price(f"lambda_gb_second_{assumptions.architecture}")
    return price("lambda_request") + seconds * rate * _gigabytes(task, assumptions)


def _in_container(task: Task, seconds: float, assumptions: Assumptions) -> float:
    """Return the price of a container; the function's look at the ledger before it is too short to count."""
    assert task.container is not None
    vcpu, gigabytes = task.container.cpu / 1024, task.container.memory / 1024
    hour = vcpu * price(f"fargate_vcpu_hour_{assumptions.architecture}")
    hour += gigabytes * price(f"fargate_gb_hour_{assumptions.architecture}")
    return max(_SHORTEST, seconds) * hour / 3600


_PRICES = {"lambda": _in_function, "container": _in_container}


def _gigabytes(task: Task, assumptions: Assumptions) -> float:
    given = task.given.memory if task.given else None
    return (given or assumptions.memory) / 1024


def _instances(task: Task) -> int:
    """Return how many instances of a task a run has; one where only the run knows it."""
    known = task.expansion.length if task.expansion else None
    return 1 if known is None else known


def runs_per_month(workflow: Workflow, view: ScheduleView, now: datetime) -> float | None:
    """Return the runs of an average month of the year from ``now`` on, None where nothing starts the DAG by itself."""
    if not view.expressions:
        return None
    if view.expressions[0].startswith("rate(") and workflow.schedule.seconds:
        return _YEAR.total_seconds() / workflow.schedule.seconds / _MONTHS
    first = max(now, moment_of(view.start)) if view.start else now
    count = 0
    for moment in moments(workflow, view, first):
        if moment >= first + _YEAR or count >= _MOST_RUNS:
            break
        count += 1
    return count / _MONTHS
