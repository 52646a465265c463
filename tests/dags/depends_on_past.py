"""A run that depends on the one before, in default_args."""

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    "depends_on_past",
    schedule="0 9 * * *",
    start_date=datetime(2024, 1, 1),
    catchup=False,
    default_args={"depends_on_past": True},
):
    BashOperator(task_id="work", bash_command="true")
