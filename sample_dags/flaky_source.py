"""Retries: a source that answers at the second try, and a fallback for when it does not."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.exceptions import AirflowSkipException
from airflow.sdk import dag, task


@dag(schedule=None, start_date=datetime(2024, 1, 1), catchup=False)
def flaky_source():
    @task(retries=3, retry_delay=timedelta(seconds=1))
    def fetch(ti=None) -> int:
        if ti.try_number < 2:
            raise ConnectionError("the source does not answer")
        return ti.try_number

    @task
    def optional_extra() -> None:
        raise AirflowSkipException("no extra data today")

    @task
    def store(tries: int) -> str:
        return f"stored after {tries} tries"

    @task(trigger_rule="all_done")
    def clean_up() -> str:
        return "temporary files are gone"

    [store(fetch()), optional_extra()] >> clean_up()


flaky_source()
