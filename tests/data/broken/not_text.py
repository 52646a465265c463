from airflow import DAG
name = "été"
DAG(name)
