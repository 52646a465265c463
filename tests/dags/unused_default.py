"""A name in default_args that no task takes, and one that belongs to the DAG."""

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    "unused_default",
    schedule="0 9 * * *",
    start_date=datetime(2024, 1, 1),
    catchup=False,
    default_args={"retrys": 3, "max_active_runs": 1},
):
    BashOperator(task_id="work", bash_command="true")
