import os
import sys

from airflow import DAG

os.environ["ORKESTRA_TEST_LEAK"] = "yes"
os.environ.pop("HOME", None)
os.chdir("/")
sys.path.insert(0, os.path.dirname(__file__))
dag = DAG("changes", schedule=None)
