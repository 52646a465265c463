"""TaskFlow with nested data: arguments inside lists and dicts, several outputs, a closure."""

from __future__ import annotations

import pendulum
from airflow.sdk import dag, task


@dag(
    schedule="30 5 * * 1-5",
    start_date=pendulum.datetime(2024, 1, 1, tz="Europe/Paris"),
    catchup=False,
    tags=["sales"],
)
def daily_orders():
    threshold = 100

    @task
    def fetch() -> list[dict]:
        return [
            {"customer": "ada", "lines": [{"sku": "book", "price": 42.0}, {"sku": "pen", "price": 2.5}]},
            {"customer": "grace", "lines": [{"sku": "desk", "price": 310.0}]},
        ]

    @task(multiple_outputs=True)
    def totals(orders: list[dict]) -> dict[str, object]:
        by_customer = {order["customer"]: sum(line["price"] for line in order["lines"]) for order in orders}
        return {"by_customer": by_customer, "grand_total": sum(by_customer.values())}

    @task
    def big_customers(by_customer: dict[str, float]) -> list[str]:
        return sorted(name for name, total in by_customer.items() if total >= threshold)

    @task
    def report(parts: dict, note: str) -> str:
        big, total = parts["big"], parts["numbers"][0]
        return f"{note}: {total:.2f} in all, {len(big)} big customer(s): {', '.join(big)}"

    orders = fetch()
    sums = totals(orders)
    report(
        {"big": big_customers(sums["by_customer"]), "numbers": [sums["grand_total"]]},
        note="orders of {{ ds }}",
    )


daily_orders()
