from airflow import DAG
from common import EmptyOperator

with DAG("round", schedule=None):
    a, b, c, d = [EmptyOperator(task_id=name) for name in "abcd"]
    a >> b >> c >> d
    d >> b

with DAG("straight", schedule=None):
    EmptyOperator(task_id="a")
