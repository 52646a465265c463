from airflow import DAG
from common import NoSuchOperator

with DAG("missing_name", schedule=None):
    pass
