"""``@asset``, ``dag.task`` and what else Airflow 3.3's own example DAGs make, as graphs and as runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from orkestra_bridge.runtime.handler import Package

ASSETS = """
from airflow.sdk import Asset, asset

@asset(schedule="@daily", uri="s3://bucket/raw")
def raw(self, context):
    return [self.name, self.uri, context["task"].task_id]

@asset(schedule=raw)
def refined(raw, limit=3):
    return [raw.name, limit]

@asset.multi(schedule=None, outlets=[Asset("left"), Asset("right")])
def both(): ...
"""


@pytest.mark.parametrize(
    ("dag_id", "value", "outlets"),
    [
        ("raw", ["raw", "s3://bucket/raw", "raw"], ["raw"]),
        ("refined", ["raw", 3], ["refined"]),
        ("both", None, ["left", "right"]),
    ],
)
def test_assets(unpack: Callable[..., Package], dag_id: str, value: Any, outlets: list[str]) -> None:
    package = unpack(ASSETS, dag_id=dag_id)
    (task,) = package.dag.tasks
    assert (task.task_id, task.task_type) == (dag_id, "_AssetMainOperator")
    assert [outlet.name for outlet in task.outlets] == outlets
    entry = package.run({"task_id": dag_id, "run": {}, "execution": {"start_time": "2024-03-01T00:00:00Z"}})
    assert entry.get("xcom", {}).get("return_value") == value


def test_an_asset_takes_no_wildcards(unpack: Callable[..., Package]) -> None:
    with pytest.raises(TypeError, match="wildcard"):
        unpack("from airflow.sdk import asset\n@asset(schedule=None)\ndef d(**rest): ...")


def test_the_decorators_of_a_dag(unpack: Callable[..., Package]) -> None:
    source = """
from airflow import DAG
dag = DAG("d", schedule=None)

@dag.task
def plain(): ...

@dag.task.branch(task_id="choose")
def choose(): ...

plain() >> choose()
"""
    tasks = unpack(source).dag.task_dict
    assert {key: task.task_type for key, task in tasks.items()} == {
        "plain": "_PythonDecoratedOperator",
        "choose": "_BranchPythonDecoratedOperator",
    }


def test_operators_that_run_nowhere_here_do_not_keep_a_file_from_loading(
    unpack: Callable[..., Package],
) -> None:
    source = """
from airflow import DAG
from airflow.sensors.filesystem import FileSensor

with DAG("d", schedule=None):
    FileSensor(task_id="elsewhere", filepath="/opt/there", retries=2)
"""
    package = unpack(source)
    assert package.dag.get_task("elsewhere").retries == 2
    with pytest.raises(Exception, match="does not run in the task runtime"):
        package.run({"task_id": "elsewhere", "run": {}, "execution": {"start_time": "2024-03-01T00:00:00Z"}})
