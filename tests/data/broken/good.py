from datetime import datetime

from airflow import DAG
from common import EmptyOperator

with DAG("good", start_date=datetime(2024, 1, 1), schedule=None):
    EmptyOperator(task_id="a") >> EmptyOperator(task_id="b")
