"""Callbacks of a task and of the DAG."""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG


def tell(context): ...


with DAG(
    "callbacks",
    schedule="0 9 * * *",
    start_date=datetime(2024, 1, 1),
    catchup=False,
    on_failure_callback=tell,
    dagrun_timeout=timedelta(hours=1),
):
    BashOperator(
        task_id="work", bash_command="true", on_failure_callback=tell, on_retry_callback=tell, retries=1
    )
