from airflow import DAG
from common import BaseHook

dag = DAG("missing_connection", schedule=None)
HOST = BaseHook.get_connection("nowhere_db").host
