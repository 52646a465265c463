"""A trigger rule that other converters lose."""

from datetime import datetime

from airflow.sdk import DAG, task


@task.branch
def choose():
    return "left"


@task
def left(): ...


@task
def right(): ...


@task(trigger_rule="none_failed_min_one_success")
def join(): ...


with DAG("none_failed_min_one_success", schedule=None, start_date=datetime(2024, 1, 1)):
    choose() >> [left(), right()] >> join()
