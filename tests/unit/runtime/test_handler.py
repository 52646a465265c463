"""One invocation after the other: what a task answers, and what leaves the handler when it fails."""

from __future__ import annotations

import base64
import json
import os
import time
from typing import TYPE_CHECKING, Any
from unittest.mock import ANY

import pytest
from invocations import HEAD, event, one_task

from orkestra_bridge.runtime.errors import RuntimeSetupError
from orkestra_bridge.runtime.failing import MAX_MESSAGE
from orkestra_bridge.runtime.failure import CALLED, PUSHED_BEFORE_FAILURE

if TYPE_CHECKING:
    from collections.abc import Callable

    from orkestra_bridge.runtime.handler import Package


def test_a_result_is_the_entry_of_the_task(unpack: Callable[..., Package]) -> None:
    package = unpack(one_task("ti.xcom_push('k', (1,))\nreturn ti.try_number"))
    entry = package.run(event("t", attempt=2))
    assert entry == {
        "state": "success",
        "tries": 3,
        "at": ANY,
        "xcom": {"k": {"__xcom__": "tuple", "value": [1]}, "return_value": 3},
    }


def test_an_entry_says_when_the_task_ended_on_the_clock_of_the_execution(
    unpack: Callable[..., Package],
) -> None:
    package = unpack(one_task("time.sleep(0.05)"))
    began = time.time() * 1000
    assert began + 50 <= package.run(event("t"))["at"] + 1 <= time.time() * 1000 + 1
    assert 1050 <= package.run(event("t", now=1000))["at"] < 10_000


def test_a_finished_task_of_a_resumed_run_is_not_run_again(unpack: Callable[..., Package]) -> None:
    package = unpack(one_task("raise ValueError"))
    kept = {"state": "success", "tries": 1, "xcom": {"return_value": 5}}
    assert package.run(event("t", run={"ledger": {"t": kept}})) == kept


def test_a_task_that_does_not_run_costs_no_dag_file(unpack: Callable[..., Package]) -> None:
    source = one_task("return 1") + "    t.override(task_id='u')() << t.override(task_id='v')()\n"
    package = unpack(source)
    answer = package.run(event("u", ledger={"v": {"state": "failed", "tries": 1, "at": 7}}))
    assert answer == {"state": "upstream_failed", "tries": 0, "at": 7.01}
    assert package._dag is None


def test_an_error_leaves_under_its_own_name(unpack: Callable[..., Package]) -> None:
    package = unpack(one_task("class Odd(Exception): pass\nraise Odd('why')"))
    with pytest.raises(Exception, match=r"^why$") as caught:
        package.run(event("t"))
    assert type(caught.value).__name__ == "Odd"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise AirflowFailException('no')", "no"),
        ("raise AirflowSensorTimeout('late')", "AirflowSensorTimeout: late"),
        ("class Mine(AirflowFailException): pass\nraise Mine('no')", "Mine: no"),
    ],
)
def test_what_must_not_be_retried_has_one_name(
    unpack: Callable[..., Package], body: str, message: str
) -> None:
    with pytest.raises(Exception, match=f"^{message}$") as caught:
        unpack(one_task(body)).run(event("t"))
    assert type(caught.value).__name__ == "AirflowFailException"


def test_a_skip_is_an_answer(unpack: Callable[..., Package]) -> None:
    package = unpack(one_task("ti.xcom_push('k', 1)\nraise AirflowSkipException('none')"))
    assert package.run(event("t")) == {"state": "skipped", "tries": 1, "at": ANY, "xcom": {"k": 1}}


def test_pushes_before_a_failure_stand_behind_its_message(unpack: Callable[..., Package]) -> None:
    package = unpack(one_task("ti.xcom_push('k', {1})\nraise KeyError('x')"))
    with pytest.raises(Exception, match="'x'") as caught:
        package.run(event("t"))
    message, _mark, pushed = str(caught.value).partition(PUSHED_BEFORE_FAILURE)
    assert type(caught.value).__name__ == "KeyError"
    assert message == "'x'"
    assert json.loads(base64.b64decode(pushed.rstrip("]"))) == {"k": {"__xcom__": "set", "value": [1]}}


@pytest.mark.parametrize(
    "body", ["raise ValueError('x' * 10**5)", "ti.xcom_push('k', 'y' * 10**5)\nraise ValueError('x' * 10**5)"]
)
def test_a_failure_fits_into_a_cause(unpack: Callable[..., Package], body: str) -> None:
    with pytest.raises(Exception, match="100000 characters") as caught:
        unpack(one_task(body)).run(event("t"))
    assert len(str(caught.value)) < MAX_MESSAGE + 100
    assert type(caught.value).__name__ == "ValueError"


def test_a_task_is_stopped_at_its_timeout_and_cleaned_up(unpack: Callable[..., Package]) -> None:
    source = f"""{HEAD}
class Slow(BaseOperator):
    def execute(self, context):
        try:
            time.sleep(30)
        except Exception:
            return 'swallowed'
    def on_kill(self):
        self.dag.killed = self.task_id
with DAG('d', **ARGS):
    Slow(task_id='t', execution_timeout=timedelta(seconds=0.2))
"""
    package = unpack(source)
    before = time.monotonic()
    with pytest.raises(Exception, match="Timeout") as caught:
        package.run(event("t"))
    assert time.monotonic() - before < 5
    assert type(caught.value).__name__ == "AirflowTaskTimeout"
    assert package.dag.killed == "t"


@pytest.mark.parametrize(
    ("version", "code", "outcome"),
    [
        ("2.11.2", "0", "success"),
        ("2.11.2", "", "success"),
        ("2.11.2", "3", "AirflowException"),
        ("3.3.2", "0", "SystemExit"),
        ("3.3.2", "3", "SystemExit"),
    ],
)
def test_sys_exit(unpack: Callable[..., Package], version: str, code: str, outcome: str) -> None:
    package = unpack(one_task(f"import sys\nsys.exit({code})"), version=version)
    if outcome == "success":
        assert package.run(event("t"))["state"] == "success"
        return
    with pytest.raises(Exception, match="SystemExit") as caught:
        package.run(event("t"))
    assert type(caught.value).__name__ == outcome


@pytest.mark.parametrize(
    ("attempt", "called"),
    [(0, ["on_execute_callback", "on_retry_callback"]), (1, ["on_execute_callback", "on_failure_callback"])],
)
def test_callbacks_know_whether_there_is_another_try(
    unpack: Callable[..., Package], attempt: int, called: list[str]
) -> None:
    source = f"""{HEAD}
CALLED = []
def note(name):
    return lambda context: CALLED.append(name)
events = ('execute', 'retry', 'failure', 'success')
hooks = {{f'on_{{event}}_callback': note(f'on_{{event}}_callback') for event in events}}
with DAG('d', **ARGS) as dag:
    @task(retries=1, **hooks)
    def t():
        raise ValueError('x')
    t()
    dag.called = CALLED
"""
    package = unpack(source)
    with pytest.raises(Exception, match="x") as caught:
        package.run(event("t", attempt=attempt))
    assert type(caught.value).__name__ == "ValueError"
    assert (CALLED in str(caught.value)) == (attempt == 1)
    assert package.dag.called == called


def test_a_warm_process_starts_each_task_afresh(unpack: Callable[..., Package]) -> None:
    body = "import os\nreturn [context['params'], os.environ['AIRFLOW_CTX_TRY_NUMBER'], context.get('seen')]"
    package = unpack(one_task(body))
    first = package.run(event("t", run={"conf": {"seen": 1}}))
    second = package.run(event("t", attempt=1))
    assert first["xcom"]["return_value"] == [{"seen": 1}, "1", None]
    assert second["xcom"]["return_value"] == [{}, "2", None]
    assert "AIRFLOW_CTX_TRY_NUMBER" not in os.environ


def test_conf_that_breaks_a_param_fails_the_task(unpack: Callable[..., Package]) -> None:
    source = f"""{HEAD}
from airflow.models.param import Param
with DAG('d', params={{'n': Param(3, type='integer', minimum=1)}}, **ARGS):
    @task
    def t(params=None):
        return params['n']
    t()
"""
    package = unpack(source)
    assert package.run(event("t"))["xcom"] == {"return_value": 3}
    with pytest.raises(
        Exception, match="Invalid input for param n: 0 is less than the minimum of 1"
    ) as caught:
        package.run(event("t", run={"conf": {"n": 0}}))
    assert type(caught.value).__name__ == "ParamValidationError"


def test_other_dags_and_runs_cannot_be_pulled_from(unpack: Callable[..., Package]) -> None:
    package = unpack(one_task("return ti.xcom_pull(task_ids='x', dag_id='other')"))
    with pytest.raises(ValueError, match="another DAG or run"):
        package.run(event("t"))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (f"{HEAD}with DAG('other', **ARGS): pass", "it makes: other"),
        (f"{HEAD}import os\nraise RuntimeError('at load')", "at load"),
    ],
)
def test_a_dag_file_that_went_wrong_says_how(unpack: Callable[..., Package], source: str, words: str) -> None:
    with pytest.raises((RuntimeSetupError, RuntimeError), match=words):
        unpack(source)


def test_an_event_of_another_machine_is_refused(unpack: Callable[..., Package]) -> None:
    package = unpack(one_task("return 1"))
    with pytest.raises(RuntimeSetupError, match="no task_id"):
        package.run({})
    with pytest.raises(RuntimeSetupError, match="no task 'gone'"):
        package.run(event("gone"))


def test_a_folder_without_manifest_is_no_package(tmp_path: Any) -> None:
    from orkestra_bridge.runtime.handler import Package

    with pytest.raises(RuntimeSetupError, match=r"manifest\.json"):
        Package(str(tmp_path)).run(event("t"))
    (tmp_path / "manifest.json").write_text('{"version": 99}')
    with pytest.raises(RuntimeSetupError, match="99"):
        Package(str(tmp_path)).run(event("t"))


BASH = """
import json
with DAG('d', **ARGS):
    @task.bash(multiple_outputs=True, output_processor=json.loads)
    def t():
        return 'echo \\'{"rows": 3}\\''
    t()
"""


@pytest.mark.parametrize(
    ("version", "pushed"),
    [
        ("3.3.2", {"rows": 3, "return_value": {"rows": 3}}),
        ("2.11.2", {"return_value": {"rows": 3}}),  # it warns that it ignores multiple_outputs there
    ],
)
def test_keys_of_what_a_command_prints_are_xcoms(
    unpack: Callable[..., Package], version: str, pushed: dict[str, Any]
) -> None:
    assert unpack(HEAD + BASH, version=version).run(event("t"))["xcom"] == pushed
