"""A good DAG and one with a cycle in the same file."""

from datetime import datetime

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

with DAG("good_neighbour", schedule=None, start_date=datetime(2024, 1, 1)):
    EmptyOperator(task_id="a")
with DAG("bad_neighbour", schedule=None, start_date=datetime(2024, 1, 1)):
    a, b = EmptyOperator(task_id="a"), EmptyOperator(task_id="b")
    a >> b >> a
