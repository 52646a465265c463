"""The sample DAGs, converted and run from their packages: both interpreters come to the same results."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from moto_engine import run_with_moto

from orkestra_bridge.local.functions.model import FunctionSpec
from orkestra_bridge.local.functions.pool import FunctionPool
from orkestra_bridge.local.interpreter import StatesError, VirtualClock
from orkestra_bridge.local.ledger import Ledger, TaskResult
from orkestra_bridge.local.package import site_packages_of, unpack
from orkestra_bridge.local.run import RunRequest, run_dag
from orkestra_bridge.options import ConvertOptions
from orkestra_bridge.pipeline import convert
from orkestra_bridge.runtime.handover import ATTEMPT, EVENT
from orkestra_bridge.runtime.handover import unpack as unpack_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orkestra_bridge.local.functions.model import Answer

DATE = "2024-03-01T00:00:00+00:00"
PYTHON = Path(sys.executable)
SAMPLES = [
    "billing_invoices",
    "billing_reminders",
    "branching_report",
    "daily_orders",
    "export_acme",
    "export_initech",
    "feature_store",
    "flaky_source",
    "grouped_checks",
    "hourly_etl",
    "load_dimensions",
    "mapped_files",
    "nightly_archive",
    "quality_gate",
    "regional_sales",
    "settings_and_secrets",
    "shell_pipeline",
    "temporary_cluster",
]


@pytest.fixture(scope="session")
def converted(sample_dags: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("samples") / "out"
    convert(ConvertOptions(paths=(sample_dags,), out=out, layers="skip", cache=None))
    return out


@contextmanager
def workers(spec: FunctionSpec) -> Iterator[Any]:
    """Yield a function that threads may call to invoke the package."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    pool = FunctionPool(spec)

    def invoke(payload: Any) -> Any:
        answer: Answer = asyncio.run_coroutine_threadsafe(pool.invoke(payload), loop).result(60)
        if answer.failed:
            raise StatesError(answer.payload["errorType"], json.dumps(answer.payload, separators=(",", ":")))
        return answer.payload

    try:
        asyncio.run_coroutine_threadsafe(pool.__aenter__(), loop).result(60)
        yield invoke
        asyncio.run_coroutine_threadsafe(pool.__aexit__(), loop).result(60)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
        loop.close()


def results_on_moto(out: Path, dag_id: str) -> tuple[str, dict[str, TaskResult]]:
    """Return the run state and the results of all tasks that left an entry in the ledger."""
    text = (out / dag_id / "state_machine.asl.json").read_text()
    definition = json.loads(text.replace("${ContainerSubnets}", "subnet-0"))
    package = unpack(out / dag_id / "functions" / "tasks.zip", out / ".runs")
    spec = FunctionSpec(
        task_root=package.root,
        python=PYTHON,
        site_packages=site_packages_of(PYTHON),
        modules=package.modules,
        distributions=package.distributions,
    )
    document = {"run_id": f"manual__{DATE}", "run_type": "manual", "logical_date": DATE, "conf": {}}
    ledger = Ledger()
    with workers(spec) as invoke:

        def listen(payload: Any) -> Any:
            entry = invoke(payload)
            ledger.take({payload["task_id"]: entry})
            return entry

        def contain(variables: dict[str, str]) -> Any:
            return invoke({**unpack_event(variables[EVENT]), "attempt": int(variables[ATTEMPT])})

        ended = run_with_moto(definition, document, listen, contain=contain)
    if ended.status == "SUCCEEDED":
        ledger.take(ended.output)
    return ended.status, ledger.results()


@pytest.mark.parametrize("dag_id", SAMPLES)
def test_both_agree(converted: Path, dag_id: str) -> None:
    ours = run_dag(
        RunRequest(out=converted, dag_id=dag_id, python=PYTHON, logical_date=DATE), clock=VirtualClock()
    )
    status, others = results_on_moto(converted, dag_id)
    assert (status == "SUCCEEDED") == (ours.run_state == "success")
    for task_id, other in others.items():
        result = ours.tasks[task_id]
        assert (result.state, result.tries, result.xcom) == (other.state, other.tries, other.xcom), task_id
    unheard = set(ours.tasks) - set(others)
    assert all(ours.tasks[task_id].state != "success" or not ours.tasks[task_id].xcom for task_id in unheard)
