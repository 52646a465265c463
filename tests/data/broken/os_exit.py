import os

from airflow import DAG

os._exit(0)
