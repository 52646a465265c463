"""Variables, connections, params and run configuration."""

from __future__ import annotations

from datetime import datetime

from airflow.decorators import dag, task
from airflow.hooks.base import BaseHook
from airflow.models import Variable
from airflow.models.param import Param


@dag(
    schedule=None,
    start_date=datetime(2024, 1, 1),
    catchup=False,
    params={"limit": Param(5, type="integer", minimum=1), "region": "eu"},
)
def settings_and_secrets():
    @task
    def settings(params=None, dag_run=None) -> dict[str, object]:
        thresholds = Variable.get("thresholds", default_var={"low": 1}, deserialize_json=True)
        return {
            "limit": params["limit"],
            "region": params["region"],
            "low": thresholds["low"],
            "run_type": dag_run.run_type,
        }

    @task
    def endpoint() -> str:
        try:
            connection = BaseHook.get_connection("shop_api")
        except Exception as problem:
            return f"no connection: {type(problem).__name__}"
        return f"{connection.conn_type}://{connection.host}:{connection.port}"

    [settings(), endpoint()]


settings_and_secrets()
