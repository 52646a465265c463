"""A DAG that stops at the first failure, with tasks side by side."""

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG("fail_fast", schedule=None, start_date=datetime(2024, 1, 1), fail_fast=True):
    BashOperator(task_id="a", bash_command="true")
    BashOperator(task_id="b", bash_command="true")
