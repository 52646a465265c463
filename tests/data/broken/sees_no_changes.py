import os

from airflow import DAG

dag = DAG("leaked" if "ORKESTRA_TEST_LEAK" in os.environ or os.getcwd() == "/" else "clean", schedule=None)
