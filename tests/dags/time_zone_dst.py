"""A cron at an hour that does not exist, or comes twice, when clocks change."""

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG
from pendulum import datetime as moment

with DAG(
    "time_zone_dst", schedule="30 2 * * *", start_date=moment(2024, 1, 1, tz="Europe/Paris"), catchup=False
):
    BashOperator(task_id="work", bash_command="true")
