"""Macros and filters of the DAG's own."""

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    "user_defined_macros",
    schedule="0 9 * * *",
    start_date=datetime(2024, 1, 1),
    user_defined_macros={"double": lambda x: 2 * x},
    user_defined_filters={"shout": str.upper},
):
    BashOperator(task_id="work", bash_command="echo {{ double(2) }} {{ 'x' | shout }}")
