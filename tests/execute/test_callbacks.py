"""Callbacks are called as by Airflow: which, in which order, with what context.

The DAGs write a line per call to a file. `DAG.test` of Airflow 2 does not set the state of running tasks, and gives a
DAG's callback the context of whatever task the database has last.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from equivalence import machine_outcomes, translated

from orkestra_bridge.local.interpreter import VirtualClock
from orkestra_bridge.local.run import RunRequest, RunResult, run_dag

if TYPE_CHECKING:
    from airflow_process import Airflow

    from orkestra_bridge.pipeline import Conversion

FILE = Path(__file__).parents[1] / "data" / "written" / "callbacks.py"
KILLED = """
import os, time
from datetime import datetime, timedelta
from pathlib import Path
from airflow import DAG
from airflow.operators.python import PythonOperator

def note(name):
    def call(context):
        ti = context["ti"]
        error = type(context["exception"]).__name__
        line = f"{name} {ti.task_id} {ti.map_index} {ti.state} {ti.try_number} {error}\\n"
        with Path(os.environ["ORKESTRA_TEST_CALLS"]).open("a") as calls:
            calls.write(line)
    return call

def die():
    os._exit(3)

def die_if(number):
    if number == 1:
        os._exit(3)
    if number == 2:
        raise KeyError(number)

def error():
    raise ValueError("no")

ARGS = {"start_date": datetime(2024, 1, 1), "schedule": None, "catchup": False}
CALL = {"on_failure_callback": note("failure"), "on_retry_callback": note("retry")}

with DAG("killed", on_failure_callback=lambda context: os._exit(4), **ARGS):
    first = PythonOperator(task_id="first", python_callable=die, retries=1, retry_delay=timedelta(0), **CALL)
    error = PythonOperator(task_id="error", python_callable=error, trigger_rule="all_done", **CALL)
    plain = PythonOperator(task_id="plain", python_callable=die, trigger_rule="all_done")
    dies_again = PythonOperator(
        task_id="dies_again", python_callable=die, trigger_rule="all_done", on_failure_callback=lambda context: die()
    )
    last = PythonOperator(task_id="last", python_callable=print, trigger_rule="all_failed")
    first >> error >> [plain, dies_again] >> last
    first >> PythonOperator(task_id="leaf", python_callable=print)

with DAG("killed_instances", **ARGS):
    mapped = PythonOperator.partial(task_id="mapped", python_callable=die_if, **CALL)
    after = PythonOperator(task_id="after", python_callable=print, trigger_rule="one_failed")
    mapped.expand(op_args=[[0], [1], [2]]) >> after

with DAG("killed_before_a_join", **ARGS):
    a = PythonOperator(task_id="a", python_callable=die, **CALL)
    b = PythonOperator(task_id="b", python_callable=print)
    c = PythonOperator(task_id="c", python_callable=print, trigger_rule="all_done")
    d = PythonOperator(task_id="d", python_callable=print, trigger_rule="one_failed")
    a >> [c, d]
    b >> d
    b >> PythonOperator(task_id="e", python_callable=print)
"""


def test_callbacks_are_called_as_by_airflow_3(airflow3: Airflow, tmp_path: Path) -> None:
    theirs, ours = calls(airflow3, tmp_path)
    assert ours == theirs
    assert len(ours["outcomes"]) > 20


@pytest.mark.airflow2
def test_callbacks_are_called_as_by_airflow_2(airflow2: Airflow, tmp_path: Path) -> None:
    theirs, ours = calls(airflow2, tmp_path)
    for line in [line for lines in (*theirs.values(), *ours.values()) for line in lines]:
        line.pop("decisive", None)
        if line.get("state") == "scheduled":
            line["state"] = "running"
    assert ours == theirs


def calls(airflow: Airflow, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what Airflow called for each DAG, and what was called here."""
    theirs, ours = folder / "theirs.jsonl", folder / "ours.jsonl"
    conversion = translated([FILE], folder / "out", airflow)
    with airflow.runs([FILE], environment={"ORKESTRA_TEST_CALLS": str(theirs)}) as wait_for_airflow:
        outcomes = list(machine_outcomes(conversion, {"ORKESTRA_TEST_CALLS": str(ours)}))
        wait_for_airflow()
    assert all(outcome for _, outcome, _ in outcomes)
    return by_dag(theirs), by_dag(ours)


def by_dag(file: Path) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for text in file.read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        found.setdefault(line["dag"], []).append(line)
    return found


@pytest.fixture(scope="module")
def killed(airflow3: Airflow, tmp_path_factory: pytest.TempPathFactory) -> Conversion:
    """The DAGs whose tasks kill the worker that runs them."""
    file = tmp_path_factory.mktemp("dags") / "killed.py"
    file.write_text(KILLED, encoding="utf-8")
    return translated([file], tmp_path_factory.mktemp("out"), airflow3)


def run_killed(conversion: Conversion, dag_id: str, notes: Path) -> RunResult:
    request = RunRequest(
        out=conversion.out,
        dag_id=dag_id,
        python=Path(sys.executable),
        environment={"ORKESTRA_TEST_CALLS": str(notes)},
    )
    return run_dag(request, clock=VirtualClock())


def states_of(result: RunResult) -> dict[str, tuple[str, int]]:
    return {task_id: (task.state, task.tries) for task_id, task in result.tasks.items()}


def test_on_failure_is_called_even_if_the_function_was_killed(killed: Conversion, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    result = run_killed(killed, "killed", notes)
    assert states_of(result) == {
        "first": ("failed", 2),
        "error": ("failed", 1),
        "plain": ("failed", 1),
        "dies_again": ("failed", 1),
        "last": ("success", 1),
        "leaf": ("upstream_failed", 0),
    }
    assert (result.run_state, result.error) == ("failed", "DagRunFailed")
    assert notes.read_text(encoding="utf-8").splitlines() == [
        "failure first -1 failed 2 AirflowException",
        "failure error -1 failed 1 ValueError",
    ]


def test_killed_instances_of_a_mapped_task_are_told_apart(killed: Conversion, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    result = run_killed(killed, "killed_instances", notes)
    assert states_of(result) == {
        "mapped[0]": ("success", 1),
        "mapped[1]": ("failed", 1),
        "mapped[2]": ("failed", 1),
        "after": ("success", 1),
    }
    assert sorted(notes.read_text(encoding="utf-8").splitlines()) == [
        "failure mapped 1 failed 1 AirflowException",
        "failure mapped 2 failed 1 KeyError",
    ]


def test_a_task_that_waits_for_a_killed_one_beside_it_goes_on(killed: Conversion, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    result = run_killed(killed, "killed_before_a_join", notes)
    assert states_of(result) == {
        "a": ("failed", 1),
        "b": ("success", 1),
        "c": ("success", 1),
        "d": ("success", 1),
        "e": ("success", 1),
    }
    assert notes.read_text(encoding="utf-8").splitlines() == ["failure a -1 failed 1 AirflowException"]
