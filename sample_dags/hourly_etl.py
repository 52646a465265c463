"""An hourly ETL in the style of Airflow 2: operators, XComs by key, templates."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow import DAG
from airflow.operators.python import PythonOperator

ORDERS = [
    {"id": 1, "customer": "ada", "amount": "19.90", "currency": "EUR"},
    {"id": 2, "customer": "grace", "amount": "7.25", "currency": "EUR"},
    {"id": 3, "customer": "ada", "amount": "oops", "currency": "EUR"},
]


def extract(ti, window_start, window_end):
    print(f"reading orders from {window_start} to {window_end}")
    ti.xcom_push(key="source", value="shop")
    return ORDERS


def transform(ti):
    orders = ti.xcom_pull(task_ids="extract")
    good, bad = [], []
    for order in orders:
        try:
            good.append({**order, "amount": float(order["amount"])})
        except ValueError:
            bad.append(order["id"])
    ti.xcom_push(key="rejected", value=bad)
    return good


def load(table, ti):
    rows = ti.xcom_pull(task_ids="transform")
    source = ti.xcom_pull(task_ids="extract", key="source")
    print(f"loading {len(rows)} rows from {source} into {table}")
    return {"table": table, "rows": len(rows), "total": round(sum(row["amount"] for row in rows), 2)}


with DAG(
    dag_id="hourly_etl",
    description="Orders from the shop into the warehouse, every hour",
    schedule="@hourly",
    start_date=datetime(2024, 1, 1),
    catchup=False,
    default_args={"owner": "data", "retries": 2, "retry_delay": timedelta(minutes=1)},
    tags=["sales", "etl"],
) as dag:
    extract_orders = PythonOperator(
        task_id="extract",
        python_callable=extract,
        op_kwargs={"window_start": "{{ data_interval_start }}", "window_end": "{{ data_interval_end }}"},
    )
    transform_orders = PythonOperator(task_id="transform", python_callable=transform)
    load_orders = PythonOperator(
        task_id="load",
        python_callable=load,
        op_args=["orders_{{ ds_nodash }}"],
        execution_timeout=timedelta(minutes=10),
    )
    extract_orders >> transform_orders >> load_orders
