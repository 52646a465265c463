"""A DAG for each customer, made in a loop."""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import DAG, task

CUSTOMERS = {
    "acme": {"hour": 1, "tables": ["orders", "returns"]},
    "globex": {"hour": 2, "tables": ["orders"]},
    "initech": {"hour": 3, "tables": ["orders", "returns", "stock"]},
}

for customer, settings in CUSTOMERS.items():
    with DAG(
        dag_id=f"export_{customer}",
        schedule=f"0 {settings['hour']} * * *",
        start_date=datetime(2024, 1, 1),
        catchup=False,
        tags=["export", customer],
    ):

        @task
        def export(table: str, owner: str) -> str:
            return f"s3://exports/{owner}/{table}.parquet"

        @task
        def manifest(files: list[str]) -> dict[str, object]:
            return {"files": files, "count": len(files)}

        manifest(
            [export.override(task_id=f"export_{table}")(table, customer) for table in settings["tables"]]
        )
