from airflow import DAG

dag = DAG("good", schedule=None)
