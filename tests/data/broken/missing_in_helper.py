from airflow import DAG
from lib.needs_provider import BucketHook

with DAG("missing_in_helper", schedule=None):
    pass
