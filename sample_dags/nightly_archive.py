"""A task that may take hours: it runs in a container on Fargate, since a Lambda function ends after 15 minutes."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import dag, task


@dag(schedule="0 2 * * *", start_date=datetime(2024, 1, 1), catchup=False)
def nightly_archive():
    @task
    def list_tables() -> list[str]:
        return ["orders", "payments"]

    @task(execution_timeout=timedelta(hours=6), retries=2, retry_delay=timedelta(seconds=1))
    def archive(table: str, ti=None) -> dict[str, int]:
        if table == "payments" and ti.try_number < 2:
            raise ConnectionError("the database closed the connection")
        return {"bytes": 1000 * len(table), "try": ti.try_number}

    @task
    def report(archived: list[dict[str, int]]) -> int:
        return sum(each["bytes"] for each in archived)

    report(archive.expand(table=list_tables()))


nightly_archive()
