"""Callbacks that the state machine asks for, and the ones around a task."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from unittest.mock import ANY

import pytest

from orkestra_bridge.runtime.errors import RuntimeSetupError
from orkestra_bridge.runtime.failure import CALLED, PUSHED_BEFORE_FAILURE, message_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from orkestra_bridge.runtime.handler import Package

SOURCE = """
from datetime import datetime
from airflow import DAG
from airflow.exceptions import AirflowSkipException
from airflow.operators.python import PythonOperator
SEEN = []
def on_failure(context):
    ti, error = context['ti'], context['exception']
    SEEN.append((ti.task_id, ti.state, ti.try_number, type(error).__name__, str(error)))
    ti.xcom_push('told', 'ops')
def of_dag(what):
    def call(context):
        ti = context.get('ti')
        SEEN.append((what, context['reason'], ti and (ti.task_id, ti.state, ti.try_number, context['dag_run'].state)))
    return call
def broken(context):
    SEEN.append('broken')
    raise ValueError
def skip():
    raise AirflowSkipException
with DAG('d', start_date=datetime(2024, 1, 1), schedule=None,
         on_success_callback=[broken, of_dag('success')], on_failure_callback=of_dag('failure')) as dag:
    a = PythonOperator(task_id='a', python_callable=print, retries=2, on_failure_callback=[broken, on_failure])
    b = PythonOperator(task_id='b', python_callable=skip, on_skipped_callback=lambda context: SEEN.append('skipped'),
                       on_success_callback=lambda context: SEEN.append('succeeded'))
    a >> b
    dag.seen = SEEN
"""


def event(callback: str | None, ledger: dict[str, Any], **more: Any) -> dict[str, Any]:
    execution = {"id": "arn", "name": "e", "start_time": "2024-03-01T00:00:00Z"}
    return {"callback": callback, "run": {}, "execution": execution, "ledger": ledger, **more}


def failed(error: str, cause: str, **more: Any) -> dict[str, Any]:
    return {"state": "failed", "tries": 3, "error": {"type": error, "message": cause}, **more}


@pytest.mark.parametrize(
    ("error", "cause", "exception"),
    [
        ("States.Timeout", "", ("AirflowTaskTimeout", "States.Timeout")),
        (
            "Sandbox.Timedout",
            json.dumps(
                {"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out after 3.00 seconds"}
            ),
            ("AirflowTaskTimeout", "Sandbox.Timedout: Task timed out after 3.00 seconds"),
        ),
        (
            "Runtime.ExitError",
            json.dumps({"errorMessage": "Runtime exited with error: signal: killed"}),
            ("AirflowException", "Runtime.ExitError: Runtime exited with error: signal: killed"),
        ),
    ],
)
def test_on_failure_is_called_after_a_kill(
    unpack: Callable[..., Package], error: str, cause: str, exception: tuple[str, str]
) -> None:
    package = unpack(SOURCE)
    entry = failed(error, cause, xcom={"k": 1})
    answer = package.run(event("on_failure", {"a": entry}, task_id="a"))
    assert package.dag.seen == ["broken", ("a", "failed", 3, *exception)]
    assert answer == {**entry, "xcom": {"k": 1, "told": "ops"}}


def test_on_failure_is_not_called_twice(unpack: Callable[..., Package]) -> None:
    package = unpack(SOURCE)
    entry = failed("ValueError", "x")
    assert package.run(event("on_failure", {"a": {**entry, "called": True}}, task_id="a")) == entry
    assert package.dag.seen == []


@pytest.mark.parametrize(
    ("callback", "states", "seen"),
    [
        (
            "dag_success",
            {"a": "success", "b": "success"},
            ["broken", ("success", "success", ("b", "success", 2, "success"))],
        ),
        (
            "dag_failure",
            {"a": "failed", "b": "upstream_failed"},
            [("failure", "task_failure", ("a", "failed", 2, "failed"))],
        ),
        ("dag_success", {"a": "skipped", "b": "skipped"}, ["broken", ("success", "success", None)]),
    ],
)
def test_the_dag_is_told_with_the_task_that_decided(
    unpack: Callable[..., Package], callback: str, states: dict[str, str], seen: list[Any]
) -> None:
    package = unpack(SOURCE)
    ledger = {task_id: {"state": state, "tries": 2} for task_id, state in states.items()}
    assert package.run(event(callback, ledger)) == {}
    assert package.dag.seen == seen


@pytest.mark.parametrize(("version", "seen"), [("3.3.2", ["skipped"]), ("2.11.2", ["skipped", "succeeded"])])
def test_airflow_2_also_calls_on_success_after_a_skip(
    unpack: Callable[..., Package], version: str, seen: list[str]
) -> None:
    package = unpack(SOURCE, version=version)
    ledger = {"a": {"state": "success", "tries": 1}}
    assert package.run(event(None, ledger, task_id="b")) == {
        "state": "skipped",
        "tries": 1,
        "at": ANY,
    }
    assert package.dag.seen == seen


def test_an_unknown_callback_is_named(unpack: Callable[..., Package]) -> None:
    with pytest.raises(RuntimeSetupError, match="no callback 'on_tuesday'"):
        unpack(SOURCE).run(event("on_tuesday", {}, task_id="a"))


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        ("plain", "plain"),
        ("", ""),
        (json.dumps({"errorMessage": 'a "b"\nc', "errorType": "E"}), 'a "b"\nc'),
        (json.dumps({"errorMessage": f"no{CALLED}{PUSHED_BEFORE_FAILURE}eyJr]"}), "no"),
        (json.dumps({"errorMessage": f"no{CALLED}{PUSHED_BEFORE_FAILURE}eyJr]"})[:70], "no"),
        (json.dumps({"errorMessage": "a long one"})[:22], "a lo"),
    ],
)
def test_the_message_of_a_cause(cause: str, message: str) -> None:
    assert message_of(cause) == message
