"""A DAG that uses the team's own package beside it."""

from __future__ import annotations

from datetime import datetime

from airflow.decorators import dag, task

from warehouse.lib.dimensions import DIMENSIONS, merge_statement


@dag(schedule="0 3 * * MON", start_date=datetime(2024, 1, 1), catchup=False, tags=["warehouse"])
def load_dimensions():
    @task
    def statements() -> dict[str, str]:
        return {name: merge_statement(name) for name in DIMENSIONS}

    @task
    def execute(statements: dict[str, str]) -> list[str]:
        from warehouse.lib import audit

        return [audit.record(name, sql) for name, sql in statements.items()]

    execute(statements())


load_dimensions()
