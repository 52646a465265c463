"""A timetable object with a zone and a first run at once."""

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG
from airflow.timetables.trigger import CronTriggerTimetable

TIMES = CronTriggerTimetable("0 9 * * *", timezone="Asia/Tokyo", run_immediately=True)

with DAG("timetable_object", schedule=TIMES, start_date=datetime(2024, 1, 1)):
    BashOperator(task_id="work", bash_command="true")
