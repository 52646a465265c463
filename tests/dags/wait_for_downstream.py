"""A run that waits for what came after the same task in the run before."""

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG("wait_for_downstream", schedule="0 9 * * *", start_date=datetime(2024, 1, 1), catchup=False):
    BashOperator(task_id="work", bash_command="true", wait_for_downstream=True)
