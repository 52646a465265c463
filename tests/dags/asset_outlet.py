"""A task that updates an asset, and one that names where it reads."""

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import Asset, DAG

with DAG("asset_outlet", schedule="0 9 * * *", start_date=datetime(2024, 1, 1), catchup=False):
    BashOperator(
        task_id="work", bash_command="true", outlets=[Asset("s3://bucket/a")], inlets=[Asset("s3://bucket/b")]
    )
