"""An operator under another name."""

from datetime import datetime

from airflow.providers.standard.operators import bash as shell
from airflow.sdk import DAG as Pipeline

with Pipeline("aliased_import", schedule=None, start_date=datetime(2024, 1, 1)):
    shell.BashOperator(task_id="work", bash_command="true", pool="database")
