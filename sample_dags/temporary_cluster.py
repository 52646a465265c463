"""A cluster for one run: set up before the work, torn down after it, whatever becomes of the work."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow import DAG
from airflow.decorators import setup, task, teardown
from airflow.operators.empty import EmptyOperator


def tell(context):
    ti = context["ti"]
    print(f"{ti.task_id} failed at try {ti.try_number}: {context['exception']}")


def report(context):
    print(f"run {context['run_id']} is over: {context['reason']}")


@setup
def start_cluster(ti) -> str:
    ti.xcom_push(key="nodes", value=3)
    return "cluster-7"


@task(retries=1, retry_delay=timedelta(seconds=1), on_failure_callback=tell)
def train(cluster: str, model: str, ti) -> str:
    ti.xcom_push(key="started_on", value=cluster)
    if model == "large":
        raise MemoryError(f"{model} does not fit into {cluster}")
    return f"{model} trained on {cluster}"


@task(trigger_rule="all_done")
def measure(ti) -> dict[str, str]:
    places = ti.xcom_pull(task_ids=["train_small", "train_large"], key="started_on")
    return {"small": places[0], "large": places[1]}


@teardown
def stop_cluster(cluster: str) -> str:
    return f"{cluster} stopped"


with DAG(
    "temporary_cluster",
    schedule=None,
    start_date=datetime(2024, 1, 1),
    catchup=False,
    on_success_callback=report,
    on_failure_callback=[report],
):
    cluster = start_cluster()
    with stop_cluster(cluster):
        small = train.override(task_id="train_small")(cluster, "small")
        large = train.override(task_id="train_large")(cluster, "large")
        [small, large] >> measure() >> EmptyOperator(task_id="measured")
