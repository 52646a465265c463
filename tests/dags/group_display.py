"""A task group with a face, and defaults of its own."""

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, TaskGroup

with DAG("group_display", schedule="0 9 * * *", start_date=datetime(2024, 1, 1), catchup=False):
    with TaskGroup("load", tooltip="loads", ui_color="#fff", default_args={"pool": "database"}):
        BashOperator(task_id="work", bash_command="true")
