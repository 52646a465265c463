"""Two DAGs that make assets, and DAGs that wait for one, for both, for an alias, and for each other."""

from airflow.sdk import DAG, Asset, AssetAlias, task

ORDERS = Asset("orders", "s3://shop/orders/")
PRICES = Asset("prices", "s3://shop/prices")
REPORT = Asset("report", "s3://shop/report")
DAILY = AssetAlias("daily")


with DAG("makes_orders", schedule=None):

    @task(outlets=[ORDERS])
    def write_orders(*, outlet_events, dag_run):
        outlet_events[ORDERS].extra = {"rows": dag_run.conf.get("rows", 1)}

    write_orders()

with DAG("makes_prices", schedule=None):

    @task(outlets=[PRICES, DAILY])
    def write_prices(*, outlet_events):
        outlet_events[DAILY].add(Asset("s3://shop/prices/today"))

    write_prices()

with DAG("needs_both", schedule=ORDERS & PRICES):

    @task(outlets=[REPORT])
    def report(*, triggering_asset_events):
        return {
            asset.name: [event.extra for event in found] for asset, found in triggering_asset_events.items()
        }

    report()

with DAG("needs_one", schedule=ORDERS | PRICES):

    @task
    def look(*, dag_run):
        return [str(dag_run.run_type.value), dag_run.logical_date, len(dag_run.consumed_asset_events)]

    look()

with DAG("needs_alias", schedule=[DAILY]):

    @task
    def read(*, triggering_asset_events):
        return [event.asset.uri for event in triggering_asset_events[DAILY]]

    read()

with DAG("needs_report", schedule=[REPORT]):

    @task
    def publish():
        return "published"

    publish()
