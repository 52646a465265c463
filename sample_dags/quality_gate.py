"""A short circuit: what follows a bad check is skipped, what is independent goes on."""

from __future__ import annotations

from datetime import datetime

from airflow.operators.empty import EmptyOperator
from airflow.operators.python import PythonOperator, ShortCircuitOperator
from airflow import DAG


def row_count(**context):
    conf = context["dag_run"].conf or {}
    return conf.get("rows", 0)


def enough_rows(ti, templates_dict):
    return ti.xcom_pull(task_ids="row_count") >= int(templates_dict["least"])


def publish():
    return "published"


with DAG(
    dag_id="quality_gate",
    schedule=None,
    start_date=datetime(2024, 1, 1),
    catchup=False,
    params={"least": 10},
) as dag:
    rows = PythonOperator(task_id="row_count", python_callable=row_count)
    gate = ShortCircuitOperator(
        task_id="enough_rows",
        python_callable=enough_rows,
        templates_dict={"least": "{{ params.least }}"},
    )
    publish_task = PythonOperator(task_id="publish", python_callable=publish)
    announced = EmptyOperator(task_id="announced")
    archive = PythonOperator(task_id="archive", python_callable=lambda: "archived")

    rows >> gate >> publish_task >> announced
    rows >> archive
