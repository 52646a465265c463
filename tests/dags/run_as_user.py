"""Another user."""

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG("run_as_user", schedule="0 9 * * *", start_date=datetime(2024, 1, 1), catchup=False):
    BashOperator(task_id="work", bash_command="true", run_as_user="etl")
