"""Permissions and links of Airflow's pages."""

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    "access_control",
    schedule="0 9 * * *",
    start_date=datetime(2024, 1, 1),
    catchup=False,
    access_control={"Viewer": {"can_read"}},
    owner_links={"airflow": "mailto:me@example.com"},
):
    BashOperator(task_id="work", bash_command="true")
