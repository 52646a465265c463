"""A queue and a configuration of the executor."""

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG("queue_and_executor", schedule="0 9 * * *", start_date=datetime(2024, 1, 1), catchup=False):
    BashOperator(task_id="work", bash_command="true", queue="large", executor_config={"pod_override": "x"})
