"""A time zone alone: the schedule must keep it."""

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG
from pendulum import datetime as moment

with DAG(
    "time_zone_plain",
    schedule="0 9 * * *",
    start_date=moment(2024, 1, 1, tz="America/New_York"),
    catchup=False,
):
    BashOperator(task_id="work", bash_command="true")
