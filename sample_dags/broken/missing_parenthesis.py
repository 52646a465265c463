"""A DAG file that does not compile: shows what the translator says about it."""

from airflow.sdk import dag, task


@dag(schedule=None
def missing_parenthesis():
    @task
    def hello():
        return "hello"

    hello()


missing_parenthesis()
