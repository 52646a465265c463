from airflow import DAG
from common import BashOperator

with DAG("bad_operator", schedule=None):
    BashOperator(task_id="a", bash_command="true", no_such_argument=1)
