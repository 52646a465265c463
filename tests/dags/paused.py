"""A DAG that is made paused."""

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    "paused",
    schedule="0 9 * * *",
    start_date=datetime(2024, 1, 1),
    catchup=False,
    is_paused_upon_creation=True,
):
    BashOperator(task_id="work", bash_command="true")
