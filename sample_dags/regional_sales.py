"""Fan out over regions, fan in to a summary."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.decorators import dag, task

REGIONS = {"emea": 3, "apac": 5, "amer": 8, "latam": 2}


@dag(schedule=timedelta(hours=6), start_date=datetime(2024, 1, 1), catchup=False, tags=["sales"])
def regional_sales():
    @task
    def list_regions() -> list[str]:
        return sorted(REGIONS)

    @task
    def summarise(numbers: list[int]) -> dict[str, int]:
        return {"regions": len(numbers), "sales": sum(numbers)}

    regions = list_regions()
    numbers = []
    for region in sorted(REGIONS):

        @task(task_id=f"count_{region}")
        def count(regions: list[str], region: str) -> int:
            assert region in regions
            return REGIONS[region] * 100

        numbers.append(count(regions, region))
    summarise(numbers)


regional_sales()
