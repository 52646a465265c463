"""Several crons in one timetable."""

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG
from airflow.timetables.trigger import MultipleCronTriggerTimetable

TIMES = MultipleCronTriggerTimetable("0 9 * * *", "0 18 * * 5", timezone="UTC")

with DAG("several_crons", schedule=TIMES, start_date=datetime(2024, 1, 1)):
    BashOperator(task_id="work", bash_command="true")
