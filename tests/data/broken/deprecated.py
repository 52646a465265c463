import warnings

from airflow import DAG

warnings.warn("old way", DeprecationWarning)
warnings.warn("older way", DeprecationWarning)
dag = DAG("deprecated", schedule=None)
