"""What is set on the object after it was made."""

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG("set_later", schedule=None, start_date=datetime(2024, 1, 1)):
    work = BashOperator(task_id="work", bash_command="true")
    work.pool = "database"
    work.depends_on_past = True
