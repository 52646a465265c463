from airflow import DAG
from common import BashOperator

with DAG("templates", schedule=None):
    BashOperator(task_id="there", bash_command="scripts/run.sh")
    BashOperator(task_id="nowhere", bash_command="scripts/none.sh")
