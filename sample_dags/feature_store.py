"""A graph that does not nest: `join` needs both sources, `profile` only one of them."""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import dag, task


@dag(schedule="15 2 * * *", start_date=datetime(2024, 1, 1), catchup=False)
def feature_store():
    @task
    def clicks() -> list[int]:
        return [3, 1, 4, 1, 5]

    @task
    def purchases() -> list[int]:
        return [2, 7, 1]

    @task
    def profile(clicks: list[int]) -> dict[str, int]:
        return {"max": max(clicks), "n": len(clicks)}

    @task
    def join(clicks: list[int], purchases: list[int]) -> int:
        return sum(clicks) * sum(purchases)

    seen, bought = clicks(), purchases()
    profile(seen)
    join(seen, bought)


feature_store()
