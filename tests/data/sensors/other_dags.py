"""DAGs that start others, wait for them, and look at their tasks."""

from __future__ import annotations

from datetime import datetime

from airflow import DAG
from airflow.decorators import task, task_group
from airflow.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sensors.external_task import ExternalTaskMarker, ExternalTaskSensor

START = datetime(2024, 1, 1)  # noqa: DTZ001 - as people write it
SAME = {"logical_date": "{{ logical_date }}", "poke_interval": 20}

with DAG("calls", start_date=START, schedule=None):
    go = TriggerDagRunOperator(
        task_id="go", trigger_dag_id="called", conf={"day": "{{ ds }}"}, wait_for_completion=True, **SAME
    )
    see = ExternalTaskSensor(task_id="see", external_dag_id="called", poke_interval=30)
    see_task = ExternalTaskSensor(task_id="see_task", external_dag_id="called", external_task_id="work")
    see_group = ExternalTaskSensor(
        task_id="see_group", external_dag_id="called", external_task_group_id="more"
    )
    again = TriggerDagRunOperator(
        task_id="again",
        trigger_dag_id="called",
        skip_when_already_exists=True,
        logical_date="{{ logical_date }}",
    )
    go >> [see, see_task, see_group, again]
    broken = TriggerDagRunOperator(
        task_id="broken", trigger_dag_id="breaks", wait_for_completion=True, **SAME
    )
    allowed = TriggerDagRunOperator(
        task_id="allowed",
        trigger_dag_id="breaks",
        trigger_run_id="other__{{ ds }}",
        wait_for_completion=True,
        allowed_states=["failed"],
        failed_states=[],
        **SAME,
    )
    ExternalTaskSensor(
        task_id="fine_of_broken",
        external_dag_id="breaks",
        external_task_ids=["fine"],
        execution_date_fn=lambda date, **context: date,
    )
    ExternalTaskSensor(
        task_id="bad_of_broken",
        external_dag_id="breaks",
        external_task_id="bad",
        failed_states=["failed"],
        soft_fail=True,
    )
    TriggerDagRunOperator(task_id="lost", trigger_dag_id="nobody_knows_it")
    ExternalTaskMarker(task_id="mark", external_dag_id="called", external_task_id="work")

with DAG("called", start_date=START, schedule=None):

    @task
    def work(dag_run=None):
        return dag_run.conf

    @task_group
    def more():
        work.override(task_id="inner")()

    work()
    more()

with DAG("breaks", start_date=START, schedule=None):

    @task
    def fine():
        return 1

    @task
    def bad():
        raise ValueError("meant to fail")

    fine() >> bad()

with DAG("looks_elsewhere", start_date=START, schedule=None):
    ExternalTaskSensor(task_id="for_ever", external_dag_id="nobody_knows_it", external_task_id="any")

with DAG("sees", start_date=START, schedule=None):
    ExternalTaskSensor(
        task_id="late", external_dag_id="called", soft_fail=True, timeout=100, poke_interval=60
    )
