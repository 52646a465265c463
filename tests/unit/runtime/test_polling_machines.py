"""Sensors' state machines with the real handler behind them: when they look, and that their history stays bounded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from moto_engine import run_with_moto
from workflows import a_task, a_workflow

from orkestra_bridge.ir.model import Expansion, Polling, Retry, Workflow
from orkestra_bridge.local.interpreter import Event, Execution, StatesError, TaskCall, VirtualClock, execute
from orkestra_bridge.lowering.machine import lower
from orkestra_bridge.lowering.poll_limits import (
    HISTORY,
    LARGEST_BUDGET,
    MAPPED_BUDGET,
    about_polling,
    pace_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from orkestra_bridge.runtime.handler import Package

WEEK = 604_800.0
SOURCE = """
from datetime import datetime, timedelta
from airflow import DAG
from airflow.sdk.bases.sensor import BaseSensorOperator

class Counts(BaseSensorOperator):
    seen = 0
    def __init__(self, *, enough=10**9, fails_at=(), keeps=True, **kwargs):
        super().__init__(**kwargs)
        self.enough, self.fails_at, self.keeps = enough, fails_at, keeps
    def poke(self, context):
        if not self.keeps:
            return False
        self.seen += 1
        if (context["ti"].try_number, self.seen) in self.fails_at:
            raise ValueError("meant to fail")
        return self.seen >= self.enough

with DAG("d", start_date=datetime(2024, 1, 1), schedule=None):
    Counts(task_id="s", ARGUMENTS)
"""


def sensor(task_id: str = "s", *upstream: str, **fields: Any) -> Any:
    base = "airflow.sdk.bases.operator.BaseOperator"
    bases = ("dag.Counts", "airflow.sdk.bases.sensor.BaseSensorOperator", base)
    return a_task(task_id, *upstream, operator="Counts", bases=bases, **fields)


class Run:
    """One execution of a machine on a virtual clock."""

    def __init__(self, workflow: Workflow, package: Package) -> None:
        self.clock = VirtualClock()
        self.package = package
        self.pokes: list[float] = []
        self.events = 0
        self.execution: Execution = self.clock.run(
            execute(
                lower(workflow).definition,
                {},
                tasks=self._invoke,
                clock=self.clock,
                on_event=self._hear,
            )
        )

    async def _invoke(self, call: TaskCall) -> Any:
        self.pokes.append(self.clock.elapsed)
        return {"Payload": invoked(self.package, call.arguments["Payload"])}

    def _hear(self, event: Event) -> None:
        # Started is an event of AWS's for each Scheduled; a retry has no event of its own there
        self.events += {"TaskScheduled": 2, "TaskRetried": 0}.get(event.type, 1)

    @property
    def gaps(self) -> list[float]:
        return [later - one for one, later in zip(self.pokes, self.pokes[1:], strict=False)]


def invoked(package: Package, payload: dict[str, Any]) -> Any:
    try:
        return package.run(payload)
    except Exception as error:  # as Lambda reports it
        document = {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": []}
        raise StatesError(type(error).__name__, json.dumps(document)) from error


def packaged(unpack: Callable[..., Package], arguments: str, retry: Retry | None = None) -> Package:
    package = unpack(SOURCE.replace("ARGUMENTS", arguments))
    if retry:
        package.manifest["workflow"]["tasks"][0]["retry"] = {"attempts": retry.attempts, "delay": retry.delay}
    return package


def test_a_sensor_looks_at_its_interval(unpack: Callable[..., Package]) -> None:
    workflow = a_workflow(sensor(polling=Polling(interval=60.0, timeout=3600.0)))
    run = Run(workflow, packaged(unpack, "keeps=False, timeout=3600, soft_fail=True"))
    assert run.execution.status == "SUCCEEDED"
    assert run.execution.output["s"]["state"] == "skipped"
    assert run.gaps == [60.0] * 60
    assert run.events == pytest.approx(3 * 61, abs=10), "one transition for each poke"


@pytest.mark.parametrize("keeps", [False, True])
def test_a_week_fits_into_the_history(unpack: Callable[..., Package], keeps: bool) -> None:
    task = sensor(polling=Polling())
    workflow = a_workflow(task)
    run = Run(workflow, packaged(unpack, f"keeps={keeps}, soft_fail=True"))
    pace = pace_of(workflow, task)
    assert run.execution.output["s"]["state"] == "skipped"
    assert WEEK < run.clock.elapsed < WEEK + 120
    assert run.events < LARGEST_BUDGET + 100 < HISTORY
    if not keeps:
        assert run.gaps[: pace.steady - 1] == [60.0] * (pace.steady - 1)
        assert pace.steady_seconds > 20 * 3600
    assert all(gap <= 0.012 * now + 61 for now, gap in zip(run.pokes[1:], run.gaps, strict=True))


def test_many_sensors_share_the_history() -> None:
    tasks = [sensor(f"s{i}", polling=Polling(), retry=Retry(attempts=1, delay=60.0)) for i in range(8)]
    others = [a_task(f"t{i}", f"s{i}", retry=Retry(attempts=3)) for i in range(8)]
    workflow = a_workflow(*tasks, *others)
    tries, pace = 2, pace_of(workflow, tasks[0])
    now, rounds = float(pace.steady_seconds), 0
    while now < WEEK:
        now += max(pace.interval, pace.share * now)
        rounds += 1
    assert HISTORY * 0.5 < 8 * tries * (3 * pace.steady + 7 * rounds) < HISTORY - 8 * 5 - 8 * (5 + 3 * 3)
    assert pace.share < 0.1


def test_too_many_sensors_are_refused() -> None:
    tasks = [sensor(f"s{i}", polling=Polling(interval=5.0)) for i in range(600)]
    (finding,) = about_polling(a_workflow(*tasks), tasks[0])
    assert finding.id == "OB329"


def test_what_is_slower_is_said() -> None:
    (finding,) = [
        each for each in lower(a_workflow(sensor(polling=Polling()))).findings if each.id == "OB328"
    ]
    assert "the sensor looks every 60 s for " in finding.message
    assert "7 days" in finding.message
    short = a_workflow(sensor(polling=Polling(timeout=7200.0)))
    assert not [each for each in lower(short).findings if each.id == "OB328"]


def test_tries_and_pokes_are_told_apart(unpack: Callable[..., Package]) -> None:
    retry = Retry(attempts=2, delay=600.0)
    workflow = a_workflow(sensor(polling=Polling(timeout=7200.0), retry=retry))
    package = packaged(unpack, "enough=4, fails_at=((1, 3), (2, 2)), retries=2", retry)
    run = Run(workflow, package)
    assert (run.execution.output["s"]["state"], run.execution.output["s"]["tries"]) == ("success", 3)
    assert run.gaps == [60, 60, 600, 60, 600, 60, 60, 60]


def test_a_failed_sensor_has_its_tries_and_its_error(unpack: Callable[..., Package]) -> None:
    retry = Retry(attempts=1, delay=10.0)
    workflow = a_workflow(
        sensor(polling=Polling(), retry=retry), a_task("after", "s", trigger_rule="all_done")
    )
    package = packaged(unpack, "fails_at=((1, 2), (2, 1)), retries=1", retry)
    states: dict[str, Any] = {}

    def answer(payload: dict[str, Any]) -> Any:
        if payload["task_id"] == "after":
            states.update(payload["ledger"])
            return {"state": "success", "tries": 1}
        return invoked(package, payload)

    ended = run_with_moto(lower(workflow).definition, {}, answer)
    assert ended.status == "SUCCEEDED"
    assert (states["s"]["state"], states["s"]["tries"]) == ("failed", 2)
    assert states["s"]["error"]["type"] == "ValueError"


def test_moto_pokes_as_often(unpack: Callable[..., Package]) -> None:
    workflow = a_workflow(
        sensor(polling=Polling()), sensor("other", polling=Polling()), a_task("end", "other", "s")
    )
    package = packaged(unpack, "enough=5")
    counted: list[str] = []

    def answer(payload: dict[str, Any]) -> Any:
        counted.append(payload["task_id"])
        if payload["task_id"] == "end":
            return {"state": "success", "tries": 1}
        return invoked(package, {**payload, "task_id": "s"})

    ended = run_with_moto(lower(workflow).definition, {}, answer)
    assert ended.status == "SUCCEEDED"
    assert {name: counted.count(name) for name in ("s", "other", "end")} == {"s": 5, "other": 5, "end": 1}


def test_instances_of_a_mapped_sensor_wait_by_themselves() -> None:
    mapped = sensor("s", "list", polling=Polling(), mapped=True, expansion=Expansion(over=("list",)))
    workflow = a_workflow(a_task("list"), mapped)
    pace = pace_of(workflow, mapped)
    assert pace.steady * 3 <= MAPPED_BUDGET / 2
    limit = lower(workflow).definition["States"]["s: expand"]["Arguments"]["Payload"]["expand"]["limit"]
    assert limit > 40
