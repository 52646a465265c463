# ruff: noqa: DTZ001
"""Rules that fire early in mapped task groups: Airflow 3.3 looks at the instances with the same map index."""

import time
from datetime import datetime

from airflow import DAG
from airflow.decorators import task, task_group
from airflow.operators.empty import EmptyOperator


@task
def numbers():
    return [1, 2, 3]


@task
def fast(x):
    if x == 2:
        raise ValueError(x)
    return x


@task
def slow(x):
    time.sleep(1)
    return x


@task
def slower(x):
    if x == 3:
        raise ValueError(x)
    return x * 10


for name, items in (("literal", [1, 2, 3]), ("open", None)):
    with DAG(f"early_{name}", start_date=datetime(2024, 1, 1), schedule=None):

        @task_group
        def race(x):
            @task
            def seen(ti=None):
                """Return what the slow branch has left when this task starts."""
                return ti.xcom_pull(task_ids="race.slower", map_indexes=ti.map_index)

            # Airflow's DAG.test runs what is ready pass by pass, in no certain order
            steps = [EmptyOperator(task_id=f"step_{number}") for number in range(2)]
            first, begun, last = fast(x), slow(x), slower(x)
            begun >> steps[0] >> steps[1] >> last
            for rule in ("one_success", "one_failed", "one_done"):
                early = seen.override(task_id=rule, trigger_rule=rule)()
                [first, last] >> early
            early >> EmptyOperator(task_id="after")

            @task
            def given(x, ti=None):
                """Where the length is open, what the group is expanded over is upstream, too, and has succeeded."""
                return [x, ti.xcom_pull(task_ids="race.slower", map_indexes=ti.map_index)]

            for rule in ("one_success", "one_failed"):
                [first, last] >> given.override(task_id=f"given_{rule}", trigger_rule=rule)(x)
            [first, last] >> EmptyOperator(task_id="both", trigger_rule="all_done")
            first >> EmptyOperator(task_id="of_first")

        race.expand(x=items or numbers()) >> EmptyOperator(task_id="end", trigger_rule="all_done")
