# ruff: noqa: DTZ001, T201
"""What `test_in_airflow.py` lets Airflow run beside the recorded DAGs: its own kinds of waiting, and mapped instances."""

import os
from datetime import datetime, timedelta
from pathlib import Path

from airflow import DAG
from airflow.decorators import task
from airflow.models import Variable
from airflow.sensors.base import BaseSensorOperator, PokeReturnValue

try:
    from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
    from airflow.sdk import BaseHook, BaseOperator
    from airflow.sdk.exceptions import AirflowException
except ImportError:
    from airflow.exceptions import AirflowException
    from airflow.hooks.base import BaseHook
    from airflow.models import BaseOperator
    from airflow.triggers.temporal import TimeDeltaTrigger


class Third(BaseSensorOperator):
    """Is there at the third look, each of which loads this file anew."""

    def poke(self, context):
        looks = Path(os.environ["AIRFLOW_HOME"], f"{self.task_id}.looks")
        count = len(looks.read_text()) if looks.exists() else 0
        looks.write_text("x" * (count + 1))
        return PokeReturnValue(is_done=count == 2, xcom_value=count)


class Defers(BaseOperator):
    """Waits in a trigger."""

    def execute(self, context):
        trigger = TimeDeltaTrigger(timedelta(milliseconds=100))
        self.defer(trigger=trigger, method_name="resumed", kwargs={"kept": [1, "x"]})

    def resumed(self, context, event=None, kept=None):
        return [kept, event is not None]


class NeverHears(BaseOperator):
    """Waits longer than it may."""

    def execute(self, context):
        trigger = TimeDeltaTrigger(timedelta(hours=1))
        self.defer(trigger=trigger, method_name="execute", timeout=timedelta(milliseconds=100))


with DAG("waiting", start_date=datetime(2024, 1, 1), schedule=None):
    Third(task_id="third", mode="reschedule", poke_interval=0.2)
    Third(task_id="gives_up", mode="reschedule", poke_interval=0.2, timeout=0.1, retries=2)
    Defers(task_id="defers")
    NeverHears(task_id="never_hears")

with DAG("instances", start_date=datetime(2024, 1, 1), schedule=None):

    @task
    def numbers():
        return [3, 0, 1]

    @task
    def inverse(base, number, ti=None):
        if number == 0:
            raise ValueError("no inverse")
        return [ti.map_index, base // number]

    @task(trigger_rule="all_done")
    def total(values, ti=None):
        return [list(values), list(ti.xcom_pull(task_ids="inverse", map_indexes=[0, 2]))]

    total(inverse.partial(base=6).expand(number=numbers()))

with DAG("surroundings", start_date=datetime(2024, 1, 1), schedule=None):

    @task
    def reads():
        hidden = BaseHook.get_connection("shop")
        print("the password is", hidden.password)
        return [Variable.get("region"), Variable.get("none", default_var=None), hidden.host]

    @task
    def tells():
        hidden = BaseHook.get_connection("shop")
        raise AirflowException(f"denied for {hidden.password}")

    @task
    def exits():
        raise SystemExit(3)

    reads()
    tells()
    exits()
