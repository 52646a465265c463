"""A task that is mapped over the result of another one."""

from datetime import datetime

from airflow.sdk import DAG, task


@task
def items():
    return [1, 2, 3]


@task(max_active_tis_per_dagrun=2, map_index_template="{{ task.op_kwargs }}")
def work(item): ...


with DAG("mapped", schedule=None, start_date=datetime(2024, 1, 1)):
    work.expand(item=items())
