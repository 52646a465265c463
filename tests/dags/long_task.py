"""A task that may take longer than a Lambda function."""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG("long_task", schedule="0 9 * * *", start_date=datetime(2024, 1, 1), catchup=False):
    BashOperator(task_id="work", bash_command="true", execution_timeout=timedelta(hours=2))
