"""Two DAGs in one file that share their callables."""

from __future__ import annotations

from datetime import datetime

from airflow import DAG
from airflow.operators.empty import EmptyOperator
from airflow.operators.python import PythonOperator


def collect(kind, **context):
    return {"kind": kind, "day": context["ds"], "invoices": 3 if kind == "invoice" else 1}


def send(kind, ti):
    batch = ti.xcom_pull(task_ids="collect")
    return f"sent {batch['invoices']} {kind}(s)"


with DAG(
    "billing_invoices", schedule="0 22 L * *", start_date=datetime(2024, 1, 1), catchup=False
) as invoices:
    PythonOperator(
        task_id="collect", python_callable=collect, op_kwargs={"kind": "invoice"}
    ) >> PythonOperator(task_id="send", python_callable=send, op_args=["invoice"])

with DAG(
    "billing_reminders", schedule="0 9 * * TUE,THU", start_date=datetime(2024, 1, 1), catchup=False
) as reminders:
    start = EmptyOperator(task_id="start")
    collect_task = PythonOperator(task_id="collect", python_callable=collect, op_kwargs={"kind": "reminder"})
    send_task = PythonOperator(task_id="send", python_callable=send, op_args=["reminder"])
    done = EmptyOperator(task_id="done")
    start >> collect_task >> send_task >> done
