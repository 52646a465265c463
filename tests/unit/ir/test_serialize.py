from __future__ import annotations

from workflows import a_task, a_workflow

from orkestra_bridge.ir.model import Attribute, Retry, Schedule, ScheduleKind
from orkestra_bridge.ir.pprint import workflow_text
from orkestra_bridge.ir.serialize import from_document, render, to_document

FULL = a_workflow(
    a_task("extract", retry=Retry(attempts=2, delay=60.0), attributes=(Attribute(name="retries", value=2),)),
    a_task("load", "extract", execution_timeout=5.0, trigger_rule="all_done", decorator="@task"),
    dag_id="sales",
    schedule=Schedule(
        kind=ScheduleKind.CRON, expressions=("0 6 * * *",), timezone="Europe/Paris", text="0 6 * * *"
    ),
    params={"limit": 3},
    start_date="2024-01-01T00:00:00+00:00",
)


def test_a_workflow_survives_json() -> None:
    assert from_document(to_document(FULL)) == FULL


def test_equal_values_give_equal_bytes() -> None:
    assert render({"b": 1, "a": [1, "é"]}) == '{\n  "a": [\n    1,\n    "é"\n  ],\n  "b": 1\n}\n'.encode()
    assert render({"b": 1, "a": 2}, sort=False).startswith(b'{\n  "b"')


def test_the_text_form_leaves_defaults_out() -> None:
    assert workflow_text(FULL) == (
        "dag sales  (dag.py:1, Airflow 3.3.2)\n"
        "  schedule  0 6 * * *  Europe/Paris\n"
        "  start_date  2024-01-01T00:00:00+00:00\n"
        "  params  limit\n"
        "  task extract  PythonOperator  retries=2 every 60s\n"
        "  task load     @task           <- extract  rule=all_done  timeout=5s\n"
    )
