"""An operator class with an argument of its own."""

from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG


class LoudOperator(BashOperator):
    def __init__(self, *, volume, **kwargs):
        super().__init__(**kwargs)
        self.volume = volume


with DAG("subclass_argument", schedule=None, start_date=datetime(2024, 1, 1)):
    LoudOperator(task_id="work", bash_command="true", volume=11)
