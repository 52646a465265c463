from airflow import DAG

with DAG("syntax_error", schedule=None):
    tasks = [1, 2
    print(tasks)
