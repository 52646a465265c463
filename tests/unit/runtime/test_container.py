"""The entry point of a container: what it is told, how it answers, and what ends it."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import Self

import orkestra_bridge
from orkestra_bridge.runtime import container
from orkestra_bridge.runtime.errors import RuntimeSetupError
from orkestra_bridge.runtime.handover import ATTEMPT, EVENT, LONGEST_EVENT, TOKEN, pack, unpack
from orkestra_bridge.runtime.stopped import failure_of, is_stop, report_stop, token_of
from orkestra_bridge.runtime.storage import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENT_OF_A_TASK = {
    "task_id": "t",
    "map_index": -1,
    "run": {"run_id": "manual__1", "conf": {"name": "Zoë"}},
    "ledger": {f"task_{number}": {"state": "success", "tries": 1} for number in range(300)},
}
DAG = """
import os, signal, sys, time
from datetime import datetime
from airflow import DAG
from airflow.decorators import task
with DAG("d", start_date=datetime(2024, 1, 1), schedule=None):
    @task
    def t(ti=None):
        print("working, try", ti.try_number)
        {body}
    t()
"""


def test_an_event_goes_through_a_variable_of_the_environment() -> None:
    packed = pack({**EVENT_OF_A_TASK, "container": "prepare", "attempt": 0})
    assert len(packed) < 2000
    assert packed.isascii()
    assert unpack(packed) == EVENT_OF_A_TASK


def test_an_event_that_does_not_fit_is_refused_with_what_to_do() -> None:
    noise = random.Random(1).randbytes(LONGEST_EVENT).hex()
    with pytest.raises(RuntimeSetupError, match=f"takes {LONGEST_EVENT}"):
        pack({"ledger": {"a": {"xcom": {"return_value": noise}}}})


def test_an_event_that_does_not_fit_is_stored_where_there_is_a_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = random.Random(1).randbytes(LONGEST_EVENT).hex()
    event = {**EVENT_OF_A_TASK, "ledger": {"a": {"xcom": {"return_value": noise}}}}
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    packed = pack(event)
    assert len(packed) < 100
    assert unpack(packed) == unpack(packed, {VARIABLE: str(tmp_path)}) == event
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(RuntimeSetupError, match="is not set"):
        unpack(packed)


@pytest.mark.parametrize("text", ["", "%%%", "AAAA"])
def test_what_is_no_event_is_refused(text: str) -> None:
    with pytest.raises(RuntimeSetupError, match="no readable event"):
        unpack(text)


@pytest.fixture
def package(tmp_path: Path) -> Any:
    """Return a function that writes the package of a DAG whose only task does what the body says."""

    def write(body: str, **of_task: Any) -> Path:
        (tmp_path / "source").mkdir()
        (tmp_path / "source" / "dag.py").write_text(DAG.format(body=body), encoding="utf-8")
        task = {"task_id": "t", "upstream": [], "trigger_rule": "all_success", **of_task}
        workflow = {"dag_id": "d", "airflow_version": "3.3.2", "schedule": {"kind": "none"}, "tasks": [task]}
        manifest = {"version": 1, "workflow": workflow, "source": "source", "dag_file": "dag.py"}
        (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        return tmp_path

    return write


class Container:
    """A process with the entry point, and the lines that it answers with."""

    def __init__(self, root: Path, **variables: str) -> None:
        reader, writer = os.pipe()
        sources = str(Path(orkestra_bridge.__file__).parents[1])
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": sources,
            "LAMBDA_TASK_ROOT": str(root),
            TOKEN: "secret-token",
            EVENT: pack({"task_id": "t", "map_index": -1, "run": {}, "ledger": {}}),
            ATTEMPT: "1",
            container.ANSWERS: str(writer),
            **variables,
        }
        command = [sys.executable, "-m", "orkestra_bridge.runtime.container"]
        self.log = (root / "log").open("w+")
        self.process = subprocess.Popen(
            command, env=environment, pass_fds=(writer,), stdout=self.log, stderr=self.log
        )
        os.close(writer)
        self._answers = os.fdopen(reader, encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._answers.close()
        self.log.close()

    def next_answer(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._answers.readline())
        return answer

    def ended(self) -> tuple[int, list[dict[str, Any]], str]:
        """Return exit code, answers and log."""
        answers = [json.loads(line) for line in self._answers]
        code = self.process.wait(30)
        self.log.seek(0)
        return code, [one for one in answers if one["action"] != "send_task_heartbeat"], self.log.read()


def test_a_task_is_answered_with_its_entry(package: Any) -> None:
    with Container(
        package("return [ti.try_number, sorted(k for k in os.environ if k.startswith('ORKESTRA'))]"),
        **{container.NOW: "5000"},
    ) as run:
        assert run.next_answer() == {"action": "send_task_heartbeat"}
        code, [answer], log = run.ended()
    assert code == 0
    assert answer["action"] == "send_task_success"
    entry = json.loads(answer["output"])
    assert 5_000 <= entry.pop("at") < 65_000
    assert entry == {"state": "success", "tries": 2, "xcom": {"return_value": [2, []]}}
    assert "working, try 2" in log
    assert "secret-token" not in log


def test_a_failure_is_answered_by_name_as_in_lambda(package: Any) -> None:
    with Container(package("ti.xcom_push('k', 5); raise LookupError('no such row')")) as run:
        code, [answer], log = run.ended()
    assert (code, answer["action"], answer["error"]) == (1, "send_task_failure", "LookupError")
    cause = json.loads(answer["cause"])
    assert cause["errorType"] == "LookupError"
    assert cause["errorMessage"].startswith("no such row\n[orkestra-bridge xcom ")
    assert "LookupError: no such row" in log


@pytest.mark.parametrize("body", ["sys.exit(3)", "raise KeyboardInterrupt"])
def test_whatever_ends_a_task_is_a_failure(package: Any, body: str) -> None:
    with Container(package(body)) as run:
        code, [answer], _ = run.ended()
    assert (code, answer["action"]) == (1, "send_task_failure")


def test_an_entry_that_is_too_large_is_a_failure_that_says_so(package: Any) -> None:
    with Container(package("return 'x' * 300_000")) as run:
        _, [answer], _ = run.ended()
    assert answer["error"] == "XComTooLargeError"


def test_a_container_that_is_told_to_stop_says_so(package: Any) -> None:
    body = "print('asleep', flush=True); time.sleep(60)"
    with Container(package(body), **{container.INTERVAL: "0.05"}) as run:
        while "asleep" not in Path(run.log.name).read_text():
            run.next_answer()
        run.process.send_signal(signal.SIGTERM)
        code, [answer], _ = run.ended()
    assert (code, answer["error"]) == (1, "Terminated")


@pytest.mark.parametrize(("more", "logged"), [("", "cleaned up"), ("; 1 / 0", "on_kill failed")])
def test_on_kill_is_called_when_it_is_told_to_stop(package: Any, more: str, logged: str) -> None:
    body = (
        f"exec('def on_kill(): print(\\'cleaned up\\', flush=True){more}', globals()); ti.task.on_kill = on_kill; "
        "print('asleep', flush=True); time.sleep(60)"
    )
    with Container(package(body), **{container.INTERVAL: "0.05"}) as run:
        while "asleep" not in Path(run.log.name).read_text():
            run.next_answer()
        run.process.send_signal(signal.SIGTERM)
        code, [answer], log = run.ended()
    assert (code, answer["error"]) == (1, "Terminated")
    assert logged in log


def test_a_container_ends_when_nobody_waits_for_it(package: Any) -> None:
    began = time.monotonic()
    with Container(package("time.sleep(60)"), **{container.INTERVAL: "0.05"}) as run:
        run.next_answer()
        run._answers.close()
        assert run.process.wait(30) == 1
    assert time.monotonic() - began < 40


def test_a_long_failure_fits_into_a_cause() -> None:
    def deep(level: int) -> None:
        if level:
            deep(level - 1)
        raise ValueError("é" * 30_000)

    with pytest.raises(ValueError, match="é") as caught:
        deep(200)
    failure = container.failure(caught.value)
    assert len(failure["cause"]) <= 32_768
    assert failure["error"] == "ValueError"


class StepFunctions(BaseHTTPRequestHandler):
    """Step Functions' API as far as containers use it; remembers what it was told."""

    said: list[tuple[str, dict[str, Any]]]
    gone = False

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        action = self.headers["X-Amz-Target"].partition(".")[2]
        self.said.append((action, body))
        answer = {"__type": "TaskTimedOut", "message": "gone"} if self.gone else {}
        data = json.dumps(answer).encode()
        self.send_response(400 if self.gone else 200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def step_functions(*, gone: bool = False) -> Iterator[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    """Yield the address of such an API, and what it was told."""
    said: list[tuple[str, dict[str, Any]]] = []
    handler = type("Api", (StepFunctions,), {"said": said, "gone": gone})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", said
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def with_api(address: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": address,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
    }


def aws_container(root: Path, address: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(orkestra_bridge.__file__).parents[1]),
        "LAMBDA_TASK_ROOT": str(root),
        TOKEN: "secret-token",
        EVENT: pack({"task_id": "t", "map_index": -1, "run": {}, "ledger": {}}),
        **with_api(address),
    }
    command = [sys.executable, "-m", "orkestra_bridge.runtime.container"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def test_on_aws_the_answer_goes_to_step_functions(package: Any) -> None:
    root = package("return 1 if ti.try_number == 1 else None")
    with step_functions() as (address, said):
        done = aws_container(root, address)
    assert done.returncode == 0, done.stderr
    assert said[0] == ("SendTaskHeartbeat", {"taskToken": "secret-token"})
    action, body = said[-1]
    assert (action, body["taskToken"]) == ("SendTaskSuccess", "secret-token")
    assert json.loads(body["output"]).items() >= {"state": "success", "tries": 1}.items()


def test_on_aws_a_heartbeat_that_nobody_waits_for_ends_the_task(package: Any) -> None:
    root = package("time.sleep(60)")
    began = time.monotonic()
    with step_functions(gone=True) as (address, said):
        done = aws_container(root, address)
    assert done.returncode == 1
    assert time.monotonic() - began < 55
    assert [action for action, _ in said] == ["SendTaskHeartbeat", "SendTaskFailure"]
    assert "too late" in done.stdout + done.stderr


def stop_event(**detail: Any) -> dict[str, Any]:
    """Return an event as in the developer guide's example of a Fargate task."""
    return {
        "version": "0",
        "detail-type": "ECS Task State Change",
        "source": "aws.ecs",
        "detail": {
            "lastStatus": "STOPPED",
            "taskArn": "arn:aws:ecs:us-east-1:123456789012:task/c/1",
            "overrides": {
                "containerOverrides": [
                    {"name": "task", "environment": [{"name": TOKEN, "value": "secret-token"}]}
                ]
            },
            **detail,
        },
    }


def test_what_ecs_says_about_a_stopped_task() -> None:
    killed = {
        "stoppedReason": "Essential container in task exited",
        "containers": [{"name": "task", "exitCode": 137, "reason": "OutOfMemoryError"}],
    }
    failure = failure_of(killed)
    assert failure["error"] == "ECS.TaskStopped"
    message = json.loads(failure["cause"])["errorMessage"]
    assert message == "Essential container in task exited; exit code 137; OutOfMemoryError"
    unpulled = failure_of({"stoppedReason": "CannotPullContainerError: not found", "containers": [{}]})
    assert json.loads(unpulled["cause"])["errorMessage"] == "CannotPullContainerError: not found"


def test_a_token_is_found_only_in_tasks_of_ours() -> None:
    assert is_stop(stop_event())
    assert not is_stop({"task_id": "t"})
    assert token_of(stop_event()["detail"]) == "secret-token"
    assert token_of(stop_event(overrides={"containerOverrides": [{"name": "x"}]})["detail"]) is None
    assert token_of({}) is None


@pytest.mark.parametrize("gone", [False, True])
def test_the_function_reports_a_container_that_stopped(gone: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with step_functions(gone=gone) as (address, said):
        for name, value in with_api(address).items():
            monkeypatch.setenv(name, value)
        assert report_stop(stop_event(stoppedReason="CannotPullContainerError")) == {}
        assert report_stop(stop_event(overrides={})) == {}
    assert [(action, body["taskToken"], body["error"]) for action, body in said] == [
        ("SendTaskFailure", "secret-token", "ECS.TaskStopped")
    ]
