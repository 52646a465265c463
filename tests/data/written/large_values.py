# ruff: noqa: DTZ001
"""XComs that no state machine passes on: through arguments, pulls, templates, maps, callbacks and failures."""

import hashlib
from datetime import datetime

from airflow import DAG
from airflow.decorators import task, task_group
from airflow.exceptions import AirflowSkipException
from airflow.operators.bash import BashOperator
from airflow.operators.python import PythonOperator

COMMON = {"start_date": datetime(2024, 1, 1), "schedule": None}


def digest(value):
    return hashlib.sha256(repr(value).encode()).hexdigest()


@task
def kilobytes(size):
    return "x" * (size * 1024)


@task
def measure(value):
    return [type(value).__name__, len(value), digest(value)]


with DAG("large_arguments", **COMMON):
    measure.override(task_id="of_300_kb")(kilobytes.override(task_id="make_300_kb")(300))

    @task(multiple_outputs=True)
    def parts():
        return {
            "text": "t" * 100_000,
            "numbers": tuple(range(3_000)),
            "small": 1,
            "when": datetime(2024, 1, 1),
        }

    made = parts()
    measure.override(task_id="of_text")(made["text"])
    measure.override(task_id="of_numbers")(made["numbers"])
    measure.override(task_id="of_all")(made)

with DAG("large_pulls", **COMMON):

    def push(ti=None):
        for number in range(5):
            ti.xcom_push(key=f"part {number}/x", value=[number] * 40_000)
        ti.xcom_push(key="part 0/x", value=["again"] * 20_000)

    def pull(ti=None):
        megabytes = ti.xcom_pull(task_ids="make_3_mb")
        found = [ti.xcom_pull(task_ids="push", key=f"part {number}/x") for number in range(5)]
        found[0].append("changed")
        return [
            len(megabytes),
            digest(megabytes),
            digest(found),
            digest(ti.xcom_pull(task_ids=["push", "pull"], key="part 0/x")),
        ]

    pushing = PythonOperator(task_id="push", python_callable=push)
    templated = BashOperator(
        task_id="templated",
        bash_command="echo length {{ ti.xcom_pull(task_ids='push', key='part 3/x') | length }}",
    )
    megabytes = kilobytes.override(task_id="make_3_mb")(3 * 1024)
    [pushing, megabytes] >> PythonOperator(task_id="pull", python_callable=pull) >> templated

with DAG("large_maps", **COMMON):

    @task
    def records():
        return [{"number": number, "text": "r" * 4000} for number in range(4)]

    @task
    def enlarge(item):
        return {"number": item["number"], "text": item["text"] * 20}

    @task
    def again(item):
        return [item["number"], len(item["text"])]

    @task
    def total(values):
        return sum(len(value["text"]) for value in values)

    large = enlarge.expand(item=records())
    again.expand(item=large)
    total(large)

    @task_group
    def both(item):
        again.override(task_id="of_item")(enlarge.override(task_id="in_group")(item))

    both.expand(item=records.override(task_id="others")())

with DAG("large_failures", **COMMON):

    def tell(context):
        ti = context["ti"]
        ti.xcom_push(key="told", value=["told", type(context["exception"]).__name__] * 10_000)

    def fail(ti=None):
        ti.xcom_push(key="before", value="f" * 500_000)
        raise ValueError("after pushing")

    def skip(ti=None):
        ti.xcom_push(key="before", value="s" * 500_000)
        raise AirflowSkipException

    def look(ti=None):
        return [
            len(ti.xcom_pull(task_ids=task_id, key=key) or "")
            for task_id, key in (("fail", "before"), ("fail", "told"), ("skip", "before"))
        ]

    [
        PythonOperator(task_id="fail", python_callable=fail, on_failure_callback=tell),
        PythonOperator(task_id="skip", python_callable=skip),
    ] >> PythonOperator(task_id="look", python_callable=look, trigger_rule="all_done")
