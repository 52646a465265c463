"""A DAG file that needs a package which is not installed."""

from airflow.sdk import dag, task

import a_package_that_nobody_has


@dag(schedule=None)
def missing_module():
    @task
    def hello():
        return a_package_that_nobody_has.greet()

    hello()


missing_module()
