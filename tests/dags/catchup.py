"""Runs that are to be made up for."""

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG("catchup", schedule="@daily", start_date=datetime(2024, 1, 1), catchup=True):
    BashOperator(task_id="work", bash_command="true")
