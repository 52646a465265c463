"""Deferred tasks: their trigger is looked at, the state machine waits, and the task goes on where it stopped."""

from __future__ import annotations

import base64
import json
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from orkestra_bridge.runtime import deferring
from orkestra_bridge.runtime.poking import NOTE, WAITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from orkestra_bridge.runtime.handler import Package

START = datetime.now(timezone.utc)
SOURCE = """
import asyncio, os
from datetime import datetime, timedelta
from airflow import DAG
from airflow.models import BaseOperator
from airflow.sdk.bases.sensor import BaseSensorOperator
from airflow.triggers.base import BaseTrigger, TriggerEvent
from airflow.triggers.temporal import TimeDeltaTrigger

class Third(BaseTrigger):
    looks = []
    def __init__(self, poke_interval):
        super().__init__()
        self.poke_interval = poke_interval
    def serialize(self):
        return f"{__name__}.Third", {"poke_interval": self.poke_interval}
    async def run(self):
        self.looks.append(1)
        if len(self.looks) < 3:
            await asyncio.sleep(3600)
        yield TriggerEvent({"looks": len(self.looks)})

class Job(BaseOperator):
    def execute(self, context):
        context["ti"].xcom_push(key="job", value=7)
        self.defer(trigger=self.trigger(), method_name="done", kwargs={"job": 7}, timeout=LIMIT)
    def trigger(self):
        return Third(45)
    def done(self, context, event=None, job=None):
        return [job, event]

class Pause(Job):
    def trigger(self):
        return TimeDeltaTrigger(timedelta(hours=2))
    def done(self, context, event=None, job=None):
        return event.year

class Sensor(BaseSensorOperator):
    def execute(self, context):
        self.defer(trigger=Third(45), method_name="done", timeout=LIMIT)
    def done(self, context, event=None):
        return event

with DAG("d", start_date=datetime(2024, 1, 1), schedule=None):
    TASK
"""


def run(package: Package, limit: int = 20) -> tuple[dict[str, Any], list[float]]:
    """Return how the task ends and the seconds between its invocations."""
    now, waits = START, list[float]()
    before: dict[str, Any] = {}
    for _ in range(limit):
        told = {
            "now": now.isoformat(),
            "entered": now.isoformat(),
            "before": before,
            "interval": 60,
            "steady": 0,
        }
        event = {"task_id": "s", "map_index": -1, "run": {}, "execution": {}, "ledger": {}, "attempt": 0}
        began = time.monotonic()
        try:
            return package.run({**event, "waiting": told}), waits
        except Exception as error:
            if type(error).__name__ != WAITS:
                raise
            before = json.loads(base64.b64decode(str(error).partition(NOTE)[2].rstrip("]")))
            waits.append(before["seconds"])
            now += timedelta(seconds=before["seconds"] + time.monotonic() - began)
    raise AssertionError(f"no end after {limit} invocations")


@pytest.fixture
def deferred(unpack: Callable[..., Package], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Package]:
    monkeypatch.setattr(deferring, "ONE_LOOK", 0.05)

    def make(task: str, limit: str = "None") -> Package:
        return unpack(SOURCE.replace("TASK", task).replace("LIMIT", limit))

    return make


def test_a_trigger_is_looked_at_until_it_fires(deferred: Callable[..., Package]) -> None:
    entry, waits = run(deferred("Job(task_id='s')"))
    assert entry["state"] == "success"
    assert entry["xcom"] == {"job": 7, "return_value": [7, {"looks": 3}]}
    assert waits == [45, 45]


def test_a_trigger_that_knows_the_moment_is_not_run(deferred: Callable[..., Package]) -> None:
    entry, waits = run(deferred("Pause(task_id='s')"))
    assert entry["state"] == "success"
    assert len(waits) == 1


def test_a_trigger_that_is_too_late_fails_the_task(deferred: Callable[..., Package]) -> None:
    with pytest.raises(Exception, match="Trigger timeout") as caught:
        run(deferred("Job(task_id='s')", "timedelta(seconds=30)"))
    assert type(caught.value).__name__ == "TaskDeferralTimeout"


@pytest.mark.parametrize(("soft", "state"), [("True", "skipped"), ("False", "failed")])
def test_a_sensor_that_defers_times_out_like_one(
    deferred: Callable[..., Package], soft: str, state: str
) -> None:
    package = deferred(f"Sensor(task_id='s', soft_fail={soft})", "timedelta(seconds=30)")
    if state == "failed":
        with pytest.raises(Exception, match="AirflowSensorTimeout: Trigger timeout"):
            run(package)
    else:
        assert run(package)[0]["state"] == state
