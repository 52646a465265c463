# ruff: noqa: DTZ001
"""A mapped task over a stored list, one over its instances, one that fails and skips, and a mapped group."""

from datetime import datetime

from airflow import DAG
from airflow.decorators import task, task_group
from airflow.exceptions import AirflowSkipException
from airflow.operators.python import get_current_context

with DAG("distributed", start_date=datetime(2024, 1, 1), schedule=None):

    @task
    def records():
        return [{"number": number, "text": "r" * 2000} for number in range(6)]

    @task
    def enlarge(record):
        return {"number": record["number"], "text": record["text"] * 10}

    @task
    def measure(record):
        context = get_current_context()
        return [record["number"], len(record["text"]), context["ti"].map_index, context["ds"]]

    @task(retries=1)
    def unreliable(record, sign):
        if record["number"] == 1:
            raise ValueError("always")
        if record["number"] == 2 and get_current_context()["ti"].try_number == 1:
            raise ValueError("once")
        if record["number"] == 3:
            raise AirflowSkipException
        return sign * record["number"]

    @task(trigger_rule="all_done")
    def total(values):
        return sum(values)

    @task
    def lengths(values):
        return [len(value["text"]) for value in values]

    @task_group
    def both(record):
        measure.override(task_id="inside")(enlarge.override(task_id="first")(record))

    found = records()
    large = enlarge.expand(record=found)
    measure.expand(record=large)
    lengths(large)
    total(unreliable.expand(record=found, sign=[1, -1]))
    both.expand(record=found)
