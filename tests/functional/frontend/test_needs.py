"""What DAGs need of their surroundings, from arguments, templates and sources, with both majors of Airflow."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

from orkestra_bridge.frontend.discovery import discover
from orkestra_bridge.frontend.loader import Frontend
from orkestra_bridge.options import Target
from orkestra_bridge.packaging.build import build_package

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from orkestra_bridge.frontend.model import Environment

DAG = """\
import os
from datetime import datetime

from airflow import DAG
from airflow.models import BaseOperator, Variable
from lib.store import read

STAGE = os.environ.get("STAGE", "dev")
BUCKET, *_ = [Variable.get(name, default_var="b") for name in ("bucket", "other")]


class Load(BaseOperator):
    template_fields = ("sql",)
    template_ext = (".sql",)

    def __init__(self, sql, db_conn_id="db_default", **kwargs):
        super().__init__(**kwargs)
        self.sql = sql
        self.db_conn_id = db_conn_id

    def execute(self, context):
        return read(self.db_conn_id)


with DAG("etl", start_date=datetime(2024, 1, 1), schedule=None):
    Load(task_id="one", sql="{{ var.value.a }} {{ var.json.b.x }} {{ var.value.get('c', 'd') }} {{ conn.e.host }}")
    Load(task_id="two", sql="two.sql", db_conn_id=f"db_{STAGE}")
    Load(task_id="three", sql=["{{ conn.get('g') }}", "{{ var.value[params.x] }}"])
    Load.partial(task_id="many").expand(sql=["x", "y"])
"""
LIB = """\
from airflow.hooks.base import BaseHook
from airflow.models import Variable


def read(conn_id):
    limit = Variable.get("limit")
    return BaseHook.get_connection(conn_id), limit
"""


def test_all_ways_to_need_something(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "test")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "store.py").write_text(dedent(LIB))
    (tmp_path / "two.sql").write_text("SELECT {{ var.value.f }}")
    (tmp_path / "etl.py").write_text(DAG)
    files = discover([tmp_path]).files
    with Frontend(environment, parse_timeout=60, cache=None) as frontend:
        (loaded,) = [each for each in frontend.load(files) if each.workflows]
    needs = build_package(loaded.workflows[0], loaded.file, environment, Target()).needs
    assert {need.name: (need.file, need.line) for need in needs.variables} == {
        "a": ("etl.py", 26),
        "b": ("etl.py", 26),
        "bucket": ("etl.py", 0),
        "c": ("etl.py", 26),
        "f": ("two.sql", 1),
        "limit": ("lib/store.py", 6),
        "other": ("etl.py", 0),
    }
    assert {need.name: need.line for need in needs.connections} == {
        "db_default": 16,
        "db_test": 27,
        "e": 26,
        "g": 28,
    }
    assert [(need.name, need.line) for need in needs.environment] == [("STAGE", 8)]
    assert [(each.kind, each.file, each.line) for each in needs.unknown] == [("variables", "etl.py", 28)]
