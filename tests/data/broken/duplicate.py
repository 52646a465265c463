from airflow import DAG

first = DAG("twice", schedule=None)
second = DAG("twice", schedule=None, description="again")
third = DAG("once", schedule=None)
