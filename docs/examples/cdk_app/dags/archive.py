"""Takes longer than a Lambda function may: its task runs in a container."""

from datetime import datetime, timedelta, timezone

from airflow.decorators import dag, task


@dag(schedule=None, start_date=datetime(2024, 1, 1, tzinfo=timezone.utc))
def archive():
    @task(execution_timeout=timedelta(hours=3))
    def compress() -> str:
        return "archive/orders.tar"

    compress()


archive()
