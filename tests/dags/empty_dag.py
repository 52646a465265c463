"""A DAG without tasks."""

from datetime import datetime

from airflow.sdk import DAG

nothing = DAG("empty_dag", schedule=None, start_date=datetime(2024, 1, 1))
