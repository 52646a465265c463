"""Runs of DAGs with tasks in containers: what kills a container fails its task, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orkestra_bridge.errors import LocalRunError
from orkestra_bridge.local.interpreter import VirtualClock
from orkestra_bridge.local.run import RunRequest, RunResult, run_dag
from orkestra_bridge.options import ConvertOptions
from orkestra_bridge.pipeline import convert

if TYPE_CHECKING:
    from orkestra_bridge.pipeline import Conversion

DAG = """
import os, random, signal, time
from datetime import datetime, timedelta
from airflow import DAG
from airflow.decorators import task

SOON = {"retry_delay": timedelta(seconds=30)}

def alert(context):
    context["ti"].xcom_push("alert", f"{type(context['exception']).__name__}: {context['exception']}")

with DAG("d", start_date=datetime(2024, 1, 1), schedule=None):
    @task(on_failure_callback=alert)
    def killed():
        os.kill(os.getpid(), signal.SIGKILL)

    @task(trigger_rule="all_failed")
    def after(ti=None):
        return ti.xcom_pull(task_ids="killed", key="alert")

    @task(retries=1, **SOON)
    def killed_once(ti=None):
        if ti.try_number == 1:
            os._exit(3)
        return ti.try_number

    @task
    def stopped():
        os.kill(os.getpid(), signal.SIGSTOP)

    @task(execution_timeout=timedelta(seconds=1))
    def slow():
        time.sleep(60)

    @task
    def leaves_a_child():
        import subprocess
        return subprocess.Popen(["sleep", "600"]).pid

    @task
    def noise(size):
        return random.Random(size).randbytes(size).hex()

    @task
    def reads(*texts):
        return [len(text) for text in texts]

    killed() >> after()
    killed_once(); stopped(); slow(); leaves_a_child()
    reads(*[noise.override(task_id=f"noise_{size}")(size) for size in (1000, 1100, 1200, 1300, 1400, 50_000)])
"""


@pytest.fixture(
    scope="session"
)  # not of the module: workers that share its tests would make it again and again
def conversion(tmp_path_factory: pytest.TempPathFactory) -> Conversion:
    home = tmp_path_factory.mktemp("containers")
    (home / "dag.py").write_text(DAG, encoding="utf-8")
    options = ConvertOptions(
        paths=(home / "dag.py",),
        out=home / "out",
        layers="skip",
        cache=None,
        targets={"*": "container", "d.noise*": "lambda"},
    )
    return convert(options)


@pytest.fixture(scope="session")
def result(conversion: Conversion) -> RunResult:
    machine = conversion.out / "d" / "state_machine.asl.json"
    text = machine.read_text()
    assert text.count('"HeartbeatSeconds": 300') == 7
    machine.write_text(text.replace('"HeartbeatSeconds": 300', '"HeartbeatSeconds": 8'))
    request = RunRequest(out=conversion.out, dag_id="d", python=Path(sys.executable))
    return run_dag(request, clock=VirtualClock())


def test_the_report_says_why_each_task_is_in_a_container(conversion: Conversion) -> None:
    [dag] = conversion.report.dags
    found = [finding for finding in dag.findings if finding.id == "OB230"]
    assert len(found) == 7
    assert all("it was asked for" in finding.message for finding in found)
    assert not any(finding.task_id == "noise_1000" for finding in found)


def test_a_container_that_is_killed_fails_its_task_alone(result: RunResult) -> None:
    killed = result.tasks["killed"]
    assert (killed.state, killed.tries) == ("failed", 1)
    assert killed.error == "ECS.TaskStopped: Essential container in task exited; exit code 137"
    assert result.tasks["after"].state == "success"
    assert result.run_state == "failed"


def test_its_callback_is_called_by_the_function(result: RunResult) -> None:
    assert result.tasks["after"].xcom["return_value"] == (
        "AirflowException: ECS.TaskStopped: Essential container in task exited; exit code 137"
    )


def test_a_container_that_is_killed_is_retried(result: RunResult) -> None:
    assert (result.tasks["killed_once"].state, result.tasks["killed_once"].tries) == ("success", 2)


def test_a_container_without_a_sign_of_life_has_failed(result: RunResult) -> None:
    assert result.tasks["stopped"].state == "failed"
    assert result.tasks["stopped"].error == "States.HeartbeatTimeout"


def test_the_tasks_own_time_limit_holds(result: RunResult) -> None:
    slow = result.tasks["slow"]
    assert slow.state == "failed"
    assert str(slow.error).startswith("AirflowTaskTimeout: Timeout, PID: ")


def test_nothing_that_a_container_started_outlives_it(result: RunResult) -> None:
    child = result.tasks["leaves_a_child"]
    assert child.state == "success"
    assert not Path(f"/proc/{child.xcom['return_value']}/cmdline").exists() or not (
        Path(f"/proc/{child.xcom['return_value']}/cmdline").read_bytes()
    )


def test_a_ledger_that_does_not_fit_into_the_environment_is_stored(result: RunResult) -> None:
    assert result.tasks["reads"].xcom["return_value"] == [2000, 2200, 2400, 2600, 2800, 100_000]
    assert [path.parent.parent.name for path in (result.logs / "xcom").rglob("event")] == ["reads"]


def test_each_task_has_its_log(result: RunResult) -> None:
    assert "--- attempt 2" in (result.logs / "killed_once.log").read_text()
    assert "AirflowTaskTimeout" in (result.logs / "slow.log").read_text()


def test_a_context_that_is_not_there_any_more_is_a_usage_problem(conversion: Conversion) -> None:
    manifest = conversion.out / "d" / "container" / "app" / "manifest.json"
    moved = manifest.rename(manifest.with_suffix(".away"))
    try:
        with pytest.raises(LocalRunError, match="convert the DAG again"):
            run_dag(RunRequest(out=conversion.out, dag_id="d", python=Path(sys.executable)))
    finally:
        moved.rename(manifest)
