from airflow import DAG
from common import Variable

BUCKET = Variable.get("nowhere_bucket")
dag = DAG("missing_variable", schedule=None)
