"""The state stores: what only some Airflows have, what the configuration says, and what belongs to whom.

What they keep and refuse is compared with Airflow in `tests/functional/runtime/test_against_airflow.py`.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from invocations import event

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEAD = "from datetime import timedelta\nfrom airflow.sdk import DAG, Asset, AssetAlias, task\n"


def dag(body: str, kind: str = "def", arguments: str = "retries=1") -> str:
    lines = "\n".join(f"        {line}" for line in body.splitlines())
    head = f"{HEAD}with DAG('d', schedule=None):\n    @task({arguments})\n"
    return f"{head}    {kind} t(**context):\n{lines}\n    t()\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ORKESTRA_TASK_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def returned(package: Any, **more: Any) -> Any:
    return package.run(event("t", **more))["xcom"]["return_value"]


COUNTS = "store = context['task_state_store']\nstore.set('n', store.get('n', 0) + 1)\nreturn store.get('n')"


def test_values_belong_to_a_run_and_an_instance_and_outlive_tries(unpack: Any, folder: Path) -> None:
    package = unpack(dag(COUNTS))
    first = {"run": {"run_id": "r1", "logical_date": "2024-03-01T00:00:00Z"}}
    second = {"run": {"run_id": "r2", "logical_date": "2024-03-01T00:00:00Z"}}
    assert [returned(package, attempt=attempt, **first) for attempt in (0, 1)] == [1, 2]
    assert returned(package, **second) == 1
    assert [returned(package, map_index=index, **first) for index in (0, 1, 0)] == [1, 1, 2]
    assert len(list(folder.iterdir())) == 4


@pytest.mark.parametrize(("version", "there"), [("3.2.1", False), ("3.3.0", True), ("3.4.0b1", True)])
def test_the_key_is_there_from_airflow_3_3_on(
    unpack: Any, folder: Path, version: str, *, there: bool
) -> None:
    assert returned(unpack(dag("return 'task_state_store' in context"), version=version)) is there
    assert not folder.exists()


def test_the_key_is_only_there_where_there_is_a_table(unpack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORKESTRA_TASK_STATE", raising=False)
    assert returned(unpack(dag("return [context.get('task_state_store')]"))) == [None]


def test_values_expire_when_their_retention_is_over(unpack: Any, folder: Path) -> None:
    body = (
        "from airflow.sdk.execution_time.context import NEVER_EXPIRE\nstore = context['task_state_store']\n"
        "store.set('usual', 1)\nstore.set('short', 1, retention=timedelta(seconds=90))\n"
        "store.set('over', 1, retention=timedelta(seconds=-1))\nstore.set('ever', 1, retention=NEVER_EXPIRE)\n"
        "return [store.get(key) for key in ('usual', 'short', 'over', 'ever')]"
    )
    assert returned(unpack(dag(body))) == [1, 1, None, 1]
    (scope,) = folder.iterdir()
    kept = {path.stem: json.loads(path.read_text())["expires"] for path in scope.iterdir()}
    assert kept["usual"] - time.time() == pytest.approx(30 * 86_400, abs=60)
    assert kept["short"] - time.time() == pytest.approx(90, abs=60)
    assert kept["ever"] is None


def test_the_configuration_says_for_how_long(
    unpack: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = unpack(dag("context['task_state_store'].set('k', 1)"))
    monkeypatch.setenv("AIRFLOW__STATE_STORE__DEFAULT_RETENTION_DAYS", "0")
    package.run(event("t"))
    (path,) = folder.glob("*/*.json")
    assert json.loads(path.read_text())["expires"] is None
    monkeypatch.setenv("AIRFLOW__STATE_STORE__DEFAULT_RETENTION_DAYS", "-1")
    with pytest.raises(Exception, match="default_retention_days must be >= 0, got -1"):
        package.run(event("t"))


def test_values_are_cleared_after_success_if_the_configuration_says_so(
    unpack: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__STATE_STORE__CLEAR_ON_SUCCESS", "True")
    body = f"{COUNTS.rpartition('return')[0]}if store.get('n') == 1:\n    raise ValueError('once')\nreturn store.get('n')"
    package = unpack(dag(body))
    with suppress(ValueError):
        package.run(event("t"))
    assert len(list(folder.glob("*/*.json"))) == 1
    assert returned(package, attempt=1) == 2
    assert list(folder.glob("*/*.json")) == []


WAITS = (
    "store = context['task_state_store']\nawait store.aset('a', 1, retention=timedelta(hours=1))\n"
    "await store.aset('b', 2)\nawait store.adelete('a')\n"
    "found = [await store.aget('a', 'gone'), await store.aget('b')]\nawait store.aclear()\n"
    "return [*found, await store.aget('b')]"
)


def test_functions_that_await_can_store_after_airflow_3_3_2(unpack: Any, folder: Path) -> None:
    assert returned(unpack(dag(WAITS, "async def"), version="3.4.0")) == ["gone", 2, None]
    assert folder.exists()


def test_functions_that_await_cannot_store_before_that(unpack: Any, folder: Path) -> None:
    with pytest.raises(AttributeError, match="has no attribute 'aset'"):
        unpack(dag(WAITS, "async def"), version="3.3.2").run(event("t"))
    assert not folder.exists()


def test_a_large_value_is_kept_with_a_warning_and_a_too_large_one_is_not(
    unpack: Any, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    set_of: Callable[[int], str] = lambda size: f"context['task_state_store'].set('k', 'x' * {size})"  # noqa: E731
    unpack(dag(set_of(70_000))).run(event("t"))
    assert "has 70002 bytes, more than max_value_storage_bytes=65535" in caplog.text
    with pytest.raises(Exception, match="has 500,002 bytes, DynamoDB keeps 400,000"):
        unpack(dag(set_of(500_000))).run(event("t"))
    assert len(list(folder.glob("*/*.json"))) == 1


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ORKESTRA_ASSET_STATE", str(tmp_path / "assets"))
    return tmp_path / "assets"


def test_what_is_stored_with_an_asset_is_for_all_dags_and_runs(unpack: Any, shared: Path) -> None:
    body = (
        "store = context['asset_state_store']\nstore.set('n', store.get('n', 0) + 1)\nreturn store.get('n')"
    )
    text = dag(body, arguments="outlets=[Asset('orders', 's3://shop/orders')]")
    assert [returned(unpack(text), run={"run_id": name}) for name in ("r1", "r2")] == [1, 2]
    other = text.replace("DAG('d'", "DAG('e'").replace(
        "Asset('orders', 's3://shop/orders')", "Asset.ref(name='orders')"
    )
    assert returned(unpack(other, dag_id="e")) == 3
    assert json.loads((shared / "name%20orders" / "n.json").read_text())["expires"] is None


def test_functions_that_await_find_what_is_stored_with_assets(unpack: Any, shared: Path) -> None:
    body = WAITS.replace("task_state_store", "asset_state_store").replace(
        ", retention=timedelta(hours=1)", ""
    )
    assert returned(unpack(dag(body, "async def", "inlets=[Asset('orders')]"))) == ["gone", 2, None]
    assert shared.exists()


@pytest.mark.parametrize("arguments", ["retries=1", "inlets=['a file']"])
def test_tasks_without_assets_have_no_such_key(unpack: Any, shared: Path, arguments: str) -> None:
    assert returned(unpack(dag("return 'asset_state_store' in context", arguments=arguments))) is False
    assert not shared.exists()


def test_an_asset_that_is_known_by_its_uri_alone_cannot_be_found(unpack: Any, shared: Path) -> None:
    text = dag(
        "context['asset_state_store'].get('n')", arguments="inlets=[Asset.ref(uri='s3://shop/orders')]"
    )
    with pytest.raises(
        Exception, match=r"which asset s3://shop/orders is the URI of is in Airflow's database"
    ):
        unpack(text).run(event("t"))
    assert not shared.exists()


def test_an_object_without_such_a_method_has_none(unpack: Any, shared: Path) -> None:
    text = dag(
        "return repr(context['asset_state_store']), hasattr(context['asset_state_store'], 'pop')",
        arguments="inlets=[Asset('a')]",
    )
    assert returned(unpack(text))["__xcom__"]
    assert not shared.exists()
