"""Events as the state machine sends them, and DAG files with one task."""

from __future__ import annotations

from typing import Any

HEAD = """
import time
from datetime import datetime, timedelta
from airflow import DAG
from airflow.decorators import task
from airflow.exceptions import AirflowFailException, AirflowSkipException, AirflowSensorTimeout
from airflow.models import BaseOperator, Variable
ARGS = dict(start_date=datetime(2024, 1, 1), schedule=None)
"""


def event(task_id: str, **more: Any) -> dict[str, Any]:
    execution = {"id": "arn", "name": "e", "start_time": "2024-03-01T00:00:00Z"}
    return {
        "task_id": task_id,
        "map_index": -1,
        "run": {},
        "execution": execution,
        "ledger": {},
        "attempt": 0,
        **more,
    }


def one_task(body: str, decorator: str = "@task") -> str:
    lines = "\n".join(f"        {line}" for line in body.splitlines())
    return (
        f"{HEAD}with DAG('d', **ARGS):\n    {decorator}\n    def t(ti=None, **context):\n{lines}\n    t()\n"
    )
