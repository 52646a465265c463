"""A pool: nothing limits tasks of different runs."""

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG("pool", schedule="0 9 * * *", start_date=datetime(2024, 1, 1), catchup=False):
    BashOperator(task_id="work", bash_command="true", pool="database", pool_slots=2)
