"""A trigger timetable with a data interval, which no schedule of AWS has."""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG
from airflow.timetables.trigger import CronTriggerTimetable

TIMES = CronTriggerTimetable("0 9 * * *", timezone="UTC", interval=timedelta(days=1))

with DAG("timetable_interval", schedule=TIMES, start_date=datetime(2024, 1, 1)):
    BashOperator(task_id="work", bash_command="true")
