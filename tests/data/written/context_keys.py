"""Everything that a task finds in its context, and what the simple things among it are."""

from __future__ import annotations

from datetime import datetime, timezone

from airflow import DAG
from airflow.decorators import task
from airflow.models.baseoperator import BaseOperator

SIMPLE = (
    "expanded_ti_count",
    "partition_date",
    "partition_key",
    "task_reschedule_count",
    "templates_dict",
    "test_mode",
    "try_number",
)


def seen(context):
    """What is stored in Airflow's database is not there: the converter refuses code that names it."""
    return {
        "keys": sorted(key for key in context if not key.endswith("_state_store")),
        **{key: context.get(key, "nothing") for key in SIMPLE},
    }


class Look(BaseOperator):
    def execute(self, context):
        return seen(context)


with DAG("context_keys", start_date=datetime(2024, 1, 1, tzinfo=timezone.utc), schedule=None, catchup=False):

    @task
    def of_a_function(**context):
        return seen(context)

    @task
    def of_an_instance(number, **context):
        return seen(context)

    @task.sensor(poke_interval=60, timeout=3600, mode="reschedule")
    def of_a_sensor(**context):
        return bool(seen(context))

    of_a_function() >> of_an_instance.expand(number=[1]) >> of_a_sensor() >> Look(task_id="of_an_operator")
