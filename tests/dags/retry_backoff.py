"""Retries with a growing delay."""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG("retry_backoff", schedule="0 9 * * *", start_date=datetime(2024, 1, 1), catchup=False):
    BashOperator(
        task_id="work",
        bash_command="true",
        retries=4,
        retry_delay=timedelta(seconds=10),
        retry_exponential_backoff=True,
    )
