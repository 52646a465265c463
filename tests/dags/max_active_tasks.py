"""A limit on the tasks of a DAG."""

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    "max_active_tasks",
    schedule="0 9 * * *",
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_tasks=2,
):
    BashOperator(task_id="work", bash_command="true")
