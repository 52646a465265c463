"""A task in a virtual environment of its own."""

from datetime import datetime

from airflow.sdk import DAG, task


@task.virtualenv(requirements=["requests"])
def work(): ...


with DAG("virtualenv", schedule=None, start_date=datetime(2024, 1, 1)):
    work()
