"""What an argument becomes that is another task's output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from orkestra_bridge.runtime.handler import Package

SOURCE = """
from datetime import datetime
from airflow import DAG
from airflow.decorators import task
with DAG('d', start_date=datetime(2024, 1, 1), schedule=None):
    @task
    def push():
        return 1
    @task
    def pull(value):
        return [value]
    pull(push()['k'])
"""


def pulled(package: Package, pushed: dict[str, Any]) -> Any:
    ledger = {"push": {"state": "success", "tries": 1, "xcom": pushed}}
    event = {"task_id": "pull", "map_index": -1, "run": {}, "ledger": ledger, "attempt": 0}
    event["execution"] = {"id": "arn", "name": "e", "start_time": "2024-03-01T00:00:00Z"}
    return package.run(event)["xcom"]["return_value"]


@pytest.mark.parametrize("version", ["2.11.2", "3.3.2"])
def test_a_key_is_its_value_and_a_missing_one_an_error(unpack: Callable[..., Package], version: str) -> None:
    package = unpack(SOURCE, version=version)
    assert pulled(package, {"k": 0}) == [0]
    with pytest.raises(Exception, match="k") as caught:
        pulled(package, {})
    assert type(caught.value).__name__ == "XComNotFound"


def test_none_is_a_value_in_airflow_2(unpack: Callable[..., Package]) -> None:
    assert pulled(unpack(SOURCE, version="2.11.2"), {"k": None}) == [None]


def test_none_is_missing_in_airflow_3(unpack: Callable[..., Package]) -> None:
    with pytest.raises(Exception, match="k") as caught:
        pulled(unpack(SOURCE, version="3.3.2"), {"k": None})
    assert type(caught.value).__name__ == "XComNotFound"
