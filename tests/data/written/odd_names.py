# ruff: noqa: DTZ001
"""Ids that state machines do not take as they are. (Those beyond ASCII fail in `dag.test()` of Airflow 3.3.)"""

from datetime import datetime

from airflow.decorators import task
from airflow.models.dag import DAG

LONG = "x" * 200


@task
def add(number):
    return number + 1


with DAG("odd_names", schedule=None, start_date=datetime(2024, 1, 1)):
    first = add.override(task_id=f"{LONG}_a")(1)
    second = add.override(task_id=f"{LONG}_b")(first)
    third = add.override(task_id="a.b-c")(second)
    one, other = (add.override(task_id=name)(third) for name in ("Run_state", "Run.state"))
    one >> add.override(task_id=f"{LONG}.c")(other)

with DAG("odd.names", schedule=None, start_date=datetime(2024, 1, 1)):
    add(1)
