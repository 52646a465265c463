"""A list of moments."""

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG
from airflow.timetables.events import EventsTimetable
from pendulum import datetime as moment

with DAG("timetable_events", schedule=EventsTimetable(event_dates=[moment(2030, 1, 1)])):
    BashOperator(task_id="work", bash_command="true")
