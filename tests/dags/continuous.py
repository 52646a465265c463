"""A DAG that runs all the time."""

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG("continuous", schedule="@continuous", start_date=datetime(2024, 1, 1), max_active_runs=1):
    BashOperator(task_id="work", bash_command="true")
