# ruff: noqa: DTZ001
"""Tasks that run in containers, since they may take longer than a Lambda function, among others that do not."""

from datetime import datetime, timedelta

from airflow import DAG
from airflow.decorators import task
from airflow.exceptions import AirflowFailException, AirflowSkipException
from airflow.operators.bash import BashOperator
from airflow.operators.python import BranchPythonOperator

LONG = {"execution_timeout": timedelta(hours=2)}
LARGE = {"executor_config": {"KubernetesExecutor": {"request_memory": "3Gi", "request_cpu": "500m"}}}
SOON = {"retry_delay": timedelta(seconds=1)}
ARGS = {"start_date": datetime(2024, 1, 1), "schedule": None}

with DAG("containers", **ARGS):

    @task
    def numbers():
        return [1, 2, 3]

    @task(**LONG)
    def pushes(items, ti=None, ds=None):
        ti.xcom_push("when", datetime(2024, 5, 6))
        return {"sum": sum(items), "pair": (ds, ti.try_number)}

    @task(**LONG)
    def text():
        return "row;" * 10_000

    @task(**LARGE)
    def pulls(given, long_text, ti=None):
        when = ti.xcom_pull(task_ids="pushes", key="when")
        return [given["sum"], list(given["pair"]), when.year, len(long_text)]

    @task(retries=1, **SOON, **LONG)
    def always_fails(ti=None):
        ti.xcom_push("try", ti.try_number)
        raise ValueError("no good")

    @task(retries=2, **SOON, **LONG)
    def flaky(ti=None):
        if ti.try_number < 2:
            raise RuntimeError("not yet")
        return ti.try_number

    @task(retries=3, **SOON, **LONG)
    def final():
        raise AirflowFailException("never again")

    @task(**LONG)
    def skips():
        raise AirflowSkipException("nothing to do")

    @task(trigger_rule="none_failed", **LONG)
    def after_skip():
        return "ran"

    @task(**LONG)
    def after_failure():
        return "must not run"

    @task(trigger_rule="one_failed", **LONG)
    def cleans_up(ti=None):
        return ti.xcom_pull(task_ids="always_fails", key="try")

    first = pushes(numbers())
    pulls(first, text())
    failed = always_fails()
    failed >> [after_failure(), cleans_up()]
    skips() >> after_skip()
    flaky() >> final()
    BashOperator(task_id="shell", bash_command="echo {{ ds }}", **LONG)

with DAG("containers_mapped", **ARGS):

    @task(**LONG)
    def items():
        return [3, 0, 1]

    @task(**LONG)
    def inverse(divisor, ti=None):
        return [ti.map_index, 6 // divisor]

    @task(trigger_rule="all_done", **LONG)
    def total(ti=None):
        return [value for value in ti.xcom_pull(task_ids="inverse") if value]

    inverse.expand(divisor=items()) >> total()

with DAG("containers_branch", **ARGS):

    @task(**LONG)
    def left():
        return "left"

    @task
    def right():
        return "right"

    @task(trigger_rule="none_failed_min_one_success", **LONG)
    def joined():
        return "joined"

    choose = BranchPythonOperator(task_id="choose", python_callable=lambda: "right", **LONG)
    choose >> [left(), right()] >> joined()
