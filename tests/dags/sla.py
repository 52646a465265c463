"""A service level agreement, in default_args."""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    "sla",
    schedule="0 9 * * *",
    start_date=datetime(2024, 1, 1),
    catchup=False,
    default_args={"sla": timedelta(hours=1)},
):
    BashOperator(task_id="work", bash_command="true")
