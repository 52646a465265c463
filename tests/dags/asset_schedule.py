"""A DAG that an asset starts."""

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import Asset, DAG

with DAG("asset_schedule", schedule=[Asset("s3://bucket/a")], start_date=datetime(2024, 1, 1)):
    BashOperator(task_id="work", bash_command="true")
