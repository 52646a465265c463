"""Sensors that end in every way they can; where a poke needs a past, it is in a folder that the environment names."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from airflow import DAG
from airflow.decorators import task
from airflow.exceptions import AirflowFailException, AirflowSkipException
from airflow.sensors.base import BaseSensorOperator, PokeReturnValue
from airflow.sensors.bash import BashSensor
from airflow.sensors.date_time import DateTimeSensor
from airflow.sensors.python import PythonSensor
from airflow.sensors.time_delta import TimeDeltaSensor
from airflow.sensors.weekday import DayOfWeekSensor

START = datetime(2024, 1, 1)  # noqa: DTZ001 - as people write it
FOLDER = Path(os.environ.get("SENSORS_FOLDER", "/nowhere"))


def count(name: str) -> int:
    """Return how often this was called with this name."""
    path = FOLDER / name
    number = int(path.read_text()) + 1 if path.exists() else 1
    path.write_text(str(number))
    return number


def reached(name: str, enough: int) -> bool:
    return count(name) >= enough


class Remembers(BaseSensorOperator):
    """Keeps its count on itself, as one may in poke mode."""

    def __init__(self, *, enough: int, **kwargs) -> None:
        super().__init__(**kwargs)
        self.enough = enough
        self.seen = []

    def poke(self, context) -> PokeReturnValue:
        self.seen.append(context["ti"].try_number)
        context["ti"].xcom_push(key="seen", value=list(self.seen))
        return PokeReturnValue(len(self.seen) >= self.enough, xcom_value={"pokes": len(self.seen)})


class Raises(BaseSensorOperator):
    """Raises on its first pokes."""

    template_fields = ("error",)

    def __init__(self, *, error: str, times: int = 1, **kwargs) -> None:
        super().__init__(**kwargs)
        self.error = error
        self.times = times

    def poke(self, context) -> bool:
        if count(self.task_id) <= self.times:
            kinds = {"fail": AirflowFailException, "skip": AirflowSkipException, "value": ValueError}
            raise kinds[self.error]("meant to fail")
        return True


with DAG("sensor_outcomes", start_date=START, schedule=None):

    @task.sensor(mode="reschedule", poke_interval=30)
    def decorated(name: str, ds=None):
        return PokeReturnValue(reached(name, 3), xcom_value=f"{name} {ds}")

    @task(trigger_rule="all_done")
    def use(value):
        return value

    use(decorated("decorated"))
    remembers = Remembers(task_id="remembers", enough=3, poke_interval=60)
    use.override(task_id="use_remembered")(remembers.output)
    PythonSensor(task_id="plain", python_callable=reached, op_args=["plain", 2])
    PythonSensor(task_id="templated", python_callable=lambda day: day == "2024-03-01", op_args=["{{ ds }}"])
    late = PythonSensor(task_id="late", python_callable=lambda: False, timeout=0, retries=2)
    use.override(task_id="after_late", trigger_rule="all_failed")(1) << late
    soft = PythonSensor(task_id="soft", python_callable=lambda: False, timeout=0, soft_fail=True)
    use.override(task_id="after_soft", trigger_rule="all_success")(2) << soft
    use.override(task_id="done", trigger_rule="all_done")(3) << [late, soft]
    BashSensor(task_id="bash", bash_command='test "{{ ds }}" = 2024-03-01')
    BashSensor(task_id="bash_wrong", bash_command="exit 4", retry_exit_code=5, soft_fail=True)

with DAG("sensor_errors", start_date=START, schedule=None):
    Raises(task_id="tried_again", error="value", times=2, retries=2)
    Raises(task_id="given_up", error="value", times=3, retries=1)
    Raises(task_id="no_retry", error="fail", retries=3)
    Raises(task_id="no_retry_soft", error="fail", retries=3, soft_fail=True)
    Raises(task_id="skips", error="skip")
    Raises(task_id="silent", error="value", times=2, silent_fail=True)
    Raises(task_id="never", error="value", never_fail=True)
    Raises(task_id="soft_only", error="value", soft_fail=True)
    Raises(task_id="rescheduled", error="value", mode="reschedule", retries=1)

with DAG("sensor_clocks", start_date=START, schedule=None):
    DateTimeSensor(task_id="past", target_time="{{ logical_date.subtract(days=1) }}")
    TimeDeltaSensor(task_id="delta", delta=timedelta(hours=1))
    DayOfWeekSensor(task_id="friday", week_day="Friday", use_task_logical_date=True)
    DayOfWeekSensor(task_id="monday", week_day={"Monday"}, use_task_logical_date=True, timeout=0)

with DAG("sensor_maps", start_date=START, schedule=None):
    mapped = PythonSensor.partial(task_id="mapped", python_callable=reached, mode="reschedule").expand(
        op_args=[["one", 1], ["two", 2], ["three", 3]]
    )
    Remembers.partial(task_id="numbers", poke_interval=20).expand(enough=[1, 2])
