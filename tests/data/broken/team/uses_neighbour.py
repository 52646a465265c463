from airflow import DAG
from neighbour import GREETING

DAG(GREETING, schedule=None)
