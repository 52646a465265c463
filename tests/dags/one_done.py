"""A trigger rule that Airflow fires before all upstream tasks have finished."""

from datetime import datetime

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

with DAG("one_done", schedule=None, start_date=datetime(2024, 1, 1)):
    [EmptyOperator(task_id="a"), EmptyOperator(task_id="b")] >> EmptyOperator(
        task_id="c", trigger_rule="one_done"
    )
