from airflow import DAG

import sklearn_of_nowhere.linear_model

with DAG("missing_module", schedule=None):
    pass
