# ruff: noqa: DTZ001
"""Functions in environments of their own: what they see, what they leave, and how they end."""

import sys
from datetime import datetime

from airflow import DAG
from airflow.decorators import task
from airflow.operators.python import PythonVirtualenvOperator

OUTSIDE = 1
HERE = "{}.{}".format(*sys.version_info)


def described(first, second=2, *, ds, **context):
    return {
        "arguments": [first, second, ds],
        "context": sorted({"ti", "dag_run", "run_id", "ts_nodash"} & set(context)),
        "strings": virtualenv_string_args,  # noqa: F821
        "outside": "OUTSIDE" in globals(),
    }


with DAG("virtualenv", start_date=datetime(2024, 1, 1), schedule=None):

    @task.virtualenv(system_site_packages=False, expect_airflow=False)
    def plain(x):
        import importlib.util

        return [x, "OUTSIDE" in globals(), importlib.util.find_spec("airflow") is None]

    @task.virtualenv(
        python_version=HERE, system_site_packages=False, skip_on_exit_code=7, expect_airflow=False
    )
    def skips():
        import sys

        sys.exit(7)

    @task.virtualenv(python_version=HERE, system_site_packages=False, expect_airflow=False)
    def fails():
        raise ValueError("no way")

    @task.virtualenv(
        python_version=HERE, system_site_packages=False, multiple_outputs=True, expect_airflow=False
    )
    def several(sizes: list):
        return {"sum": sum(sizes), "set": {1, 2}}

    @task.branch_virtualenv(python_version=HERE, system_site_packages=False, expect_airflow=False)
    def choose():
        return "yes"

    @task
    def yes():
        return 1

    @task
    def no():
        return 1

    choose() >> [yes(), no()]
    PythonVirtualenvOperator(
        task_id="described",
        python_callable=described,
        op_args=[plain(4)],
        op_kwargs={"second": "{{ dag.dag_id }}"},
        string_args=["one", "two"],
        python_version=HERE,
        system_site_packages=False,
        expect_airflow=False,
    )
    skips()
    fails()
    several([1, 2])
