"""A DAG that runs once."""

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG("once", schedule="@once", start_date=datetime(2024, 1, 1)):
    BashOperator(task_id="work", bash_command="true")
