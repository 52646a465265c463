"""Operators and hooks of real provider packages, executed on the facade against a real server and a real database."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

import pytest
from packages import has_distributions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Outcome

pytestmark = pytest.mark.skipif(
    not has_distributions("apache-airflow-providers-http", "apache-airflow-providers-sqlite"),
    reason="needs the http and sqlite providers",
)

HTTP = """
from airflow.providers.http.hooks.http import HttpHook
from airflow.providers.http.operators.http import HttpOperator

with DAG("d", start_date=datetime(2024, 1, 1), schedule=None):
    ask = HttpOperator(
        task_id="ask",
        http_conn_id="api",
        method="GET",
        endpoint="/days/{{ ds }}",
        response_filter=lambda response: response.text.split(),
    )
    HttpOperator(task_id="lost", http_conn_id="api", method="GET", endpoint="/missing")

    @task
    def tell(heard):
        return HttpHook(method="POST", http_conn_id="api").run("/told", data=heard[1]).text

    tell(ask.output)
"""


def test_http(outcome: Callable[[str], Outcome], http_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_API", http_server)
    found = outcome(HTTP)
    assert found.states == {"ask": "success", "lost": "failed", "tell": "success"}
    assert found.values["ask"] == ["GET", "/days/2024-03-01"]
    assert found.values["tell"] == "POST /told /days/2024-03-01"
    assert not any(
        each.startswith(("apache-airflow==", "apache-airflow-core", "apache-airflow-task-sdk"))
        for each in found.requirements
    )


HTTP_SENSORS = """
from airflow.providers.http.sensors.http import HttpSensor

with DAG("d", start_date=datetime(2024, 1, 1), schedule=None):
    ask = dict(http_conn_id="api", method="GET", poke_interval=30)
    HttpSensor(task_id="there", endpoint="/there", **ask)
    HttpSensor(task_id="third", endpoint="/third/{{ ds }}", mode="reschedule", **ask)
    HttpSensor(task_id="never", endpoint="/missing", timeout=100, **ask)
    HttpSensor(task_id="soft", endpoint="/missing/soft", timeout=100, soft_fail=True, **ask)
    HttpSensor(task_id="broken", endpoint="/broken", **ask)
    HttpSensor(
        task_id="checked", endpoint="/words", response_check=lambda response: "words" in response.text, **ask
    )
"""


def test_http_sensors(
    outcome: Callable[..., Outcome], http_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_API", http_server)
    found = outcome(HTTP_SENSORS, fast=True)
    assert found.states == {
        "there": "success",
        "third": "success",
        "never": "failed",
        "soft": "skipped",
        "broken": "failed",
        "checked": "success",
    }
    assert set(found.tries.values()) == {1}


SQL_SENSORS = """
from airflow.providers.common.sql.hooks.sql import DbApiHook
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.providers.common.sql.sensors.sql import SqlSensor

with DAG("d", start_date=datetime(2024, 1, 1), schedule=None):
    table = SQLExecuteQueryOperator(task_id="table", conn_id="db", sql="CREATE TABLE looks (day TEXT)")
    ask = dict(conn_id="db", poke_interval=30)

    # what looks makes it true in the end: a sensor that writes
    class Counting(SqlSensor):
        def poke(self, context):
            self._get_hook().run("INSERT INTO looks VALUES ('x')", autocommit=True)
            return super().poke(context)

    third = Counting(task_id="third", sql="SELECT COUNT(*) >= 3 FROM looks", **ask)
    never = SqlSensor(task_id="never", sql="SELECT 0", timeout=100, mode="reschedule", **ask)
    empty = SqlSensor(task_id="empty", sql="SELECT 1 WHERE 1 = 0", fail_on_empty=True, **ask)
    by_value = SqlSensor(
        task_id="by_value", sql="SELECT :day", parameters={"day": "{{ ds }}"}, success=lambda day: day > "2024", **ask
    )
    bad = SqlSensor(task_id="bad", sql="SELECT 'no'", failure=lambda value: value == "no", **ask)
    table >> [third, never, empty, by_value, bad]
"""


def test_sql_sensors(
    outcome: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "sales.db"
    monkeypatch.setenv("AIRFLOW_CONN_DB", json.dumps({"conn_type": "sqlite", "host": str(database)}))
    found = outcome(SQL_SENSORS, fast=True)
    assert found.states == {
        "table": "success",
        "third": "success",
        "never": "failed",
        "empty": "failed",
        "by_value": "success",
        "bad": "failed",
    }
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT COUNT(*) FROM looks").fetchone() == (3,)


SQL = """
from airflow.operators.empty import EmptyOperator
from airflow.providers.common.sql.hooks.sql import DbApiHook
from airflow.providers.common.sql.operators.sql import (
    BranchSQLOperator, SQLCheckOperator, SQLColumnCheckOperator, SQLExecuteQueryOperator,
)

with DAG("d", start_date=datetime(2024, 1, 1), schedule=None, template_searchpath=None):
    fill = SQLExecuteQueryOperator(
        task_id="fill",
        conn_id="db",
        sql=["CREATE TABLE sales (day TEXT, amount INT)", "INSERT INTO sales VALUES ('{{ ds }}', 5)"],
    )
    read = SQLExecuteQueryOperator(
        task_id="read", conn_id="db", sql="SELECT amount FROM sales WHERE day = :day", parameters={"day": "{{ ds }}"}
    )
    check = SQLCheckOperator(task_id="check", conn_id="db", sql="SELECT COUNT(*) FROM sales")
    none = SQLCheckOperator(task_id="none", conn_id="db", sql="SELECT COUNT(*) FROM sales WHERE amount > 5")
    column = SQLColumnCheckOperator(
        task_id="column", conn_id="db", table="sales", column_mapping={"amount": {"min": {"geq_to": 5}}}
    )
    choose = BranchSQLOperator(
        task_id="choose",
        conn_id="db",
        sql="SELECT amount > 3 FROM sales",
        follow_task_ids_if_true="much",
        follow_task_ids_if_false="little",
    )

    @task
    def hook():
        from airflow.hooks.base import BaseHook

        return [list(row) for row in BaseHook.get_hook("db").get_records("SELECT * FROM sales")]

    fill >> [read, check, none, column, choose, hook()]
    choose >> [EmptyOperator(task_id="much"), EmptyOperator(task_id="little")]
"""


def test_sql(outcome: Callable[[str], Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = tmp_path / "sales.db"
    monkeypatch.setenv("AIRFLOW_CONN_DB", json.dumps({"conn_type": "sqlite", "host": str(database)}))
    found = outcome(SQL)
    assert found.states == {
        "fill": "success",
        "read": "success",
        "check": "success",
        "none": "failed",
        "column": "success",
        "choose": "success",
        "much": "success",
        "little": "skipped",
        "hook": "success",
    }
    assert found.values["read"] == [[5]]
    assert found.values["hook"] == [["2024-03-01", 5]]
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT * FROM sales").fetchall() == [("2024-03-01", 5)]
    assert "apache-airflow-providers-sqlite" in {each.partition("==")[0] for each in found.requirements}
