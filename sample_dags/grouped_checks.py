"""Task groups: checks side by side, then a verdict; ids carry the names of the groups."""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import DAG, TaskGroup, task
from airflow.providers.standard.operators.empty import EmptyOperator

with DAG(dag_id="grouped_checks", schedule="@weekly", start_date=datetime(2024, 1, 1), catchup=False):
    start = EmptyOperator(task_id="start")

    with TaskGroup("checks", default_args={"retries": 1}) as checks:

        @task
        def freshness() -> bool:
            return True

        with TaskGroup("volume"):

            @task
            def rows() -> int:
                return 1000

            @task
            def enough(rows: int) -> bool:
                return rows > 10

            enough(rows())

        freshness()

    @task
    def verdict(ti=None) -> str:
        fresh, enough = ti.xcom_pull(task_ids=["checks.freshness", "checks.volume.enough"])
        return "good" if fresh and enough else "bad"

    start >> checks >> verdict()
