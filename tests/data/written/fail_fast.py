# ruff: noqa: DTZ001
"""DAGs that stop at the first failure."""

from datetime import datetime, timedelta

from airflow import DAG
from airflow.operators.empty import EmptyOperator
from airflow.operators.python import PythonOperator
from airflow.version import version

NAME = "fail_stop" if version.startswith("2.") else "fail_fast"
ARGS = {"start_date": datetime(2024, 1, 1), "schedule": None, "catchup": False, NAME: True}


def good():
    return 1


def bad():
    raise ValueError("no")


def second_time(ti):
    if ti.try_number < 2:
        raise KeyError("once")


def op(task_id, call=good, **arguments):
    return PythonOperator(task_id=task_id, python_callable=call, **arguments)


with DAG("first_fails", **ARGS):
    op("a", bad) >> op("b") >> EmptyOperator(task_id="c") >> op("d")

with DAG("last_fails", **ARGS):
    op("a") >> EmptyOperator(task_id="b") >> op("c", bad)

with DAG("nothing_fails", **ARGS):
    op("a") >> EmptyOperator(task_id="b") >> op("c", second_time, retries=1, retry_delay=timedelta(0))

with DAG("teardowns_run", **ARGS):
    s = op("s").as_setup()
    t = op("t").as_teardown(setups=s)
    u = EmptyOperator(task_id="u").as_teardown(setups=s)
    s >> op("w", bad) >> op("x") >> [t, u]

with DAG("setup_fails", **ARGS):
    s = op("s", bad).as_setup()
    t = op("t").as_teardown(setups=s)
    s >> op("w") >> t

with DAG("teardown_fails", **ARGS):
    s = op("s").as_setup()
    t = op("t", bad).as_teardown(setups=s)
    s >> op("w") >> t >> op("after") >> EmptyOperator(task_id="later")
