"""A report that takes one of several ways, and an end that waits for whichever was taken."""

from __future__ import annotations

from datetime import datetime

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Label, task

with DAG(
    dag_id="branching_report",
    schedule="0 7 * * *",
    start_date=datetime(2024, 1, 1),
    catchup=False,
    params={"force_full": False},
):

    @task
    def count_changes(logical_date=None) -> int:
        return 1200 if logical_date.day == 1 else 40

    @task.branch
    def choose(changes: int, params=None) -> list[str] | str:
        if params["force_full"] or changes > 1000:
            return ["full_report", "notify_management"]
        return "short_report"

    @task
    def full_report() -> str:
        return "full"

    @task
    def short_report() -> str:
        return "short"

    @task
    def notify_management() -> str:
        return "management was told"

    published = EmptyOperator(task_id="published", trigger_rule="none_failed_min_one_success")

    way = choose(count_changes())
    way >> Label("much changed") >> full_report() >> published
    way >> Label("little changed") >> short_report() >> published
    way >> notify_management() >> published
