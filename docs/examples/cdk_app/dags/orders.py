"""Orders at six, Berlin time; refunds each first of the month and each Monday."""

import pendulum
from airflow.decorators import dag, task

START = pendulum.datetime(2024, 1, 1, tz="Europe/Berlin")


@dag(schedule="0 6 * * *", start_date=START, catchup=False)
def orders():
    @task(retries=2)
    def extract() -> list[int]:
        return [120, 80, 42]

    @task
    def total(amounts: list[int]) -> int:
        return sum(amounts)

    @task
    def largest(amounts: list[int]) -> int:
        return max(amounts)

    amounts = extract()
    total(amounts)
    largest(amounts)


@dag(schedule="0 6 1 * 1", start_date=START, catchup=False)
def refunds():
    @task
    def check() -> str:
        return "nothing to refund"

    check()


orders()
refunds()
