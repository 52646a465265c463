"""What the end of a container means for its task, where its output is, and how environment files are read."""

from __future__ import annotations

import io
import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from orkestra_bridge.runtime.container_log import VARIABLE, lines_of
from orkestra_bridge.runtime.environment_file import read
from orkestra_bridge.runtime.errors import ImageStarts
from orkestra_bridge.runtime.own_image import _end, attempt_of, entry_before, work_of

if TYPE_CHECKING:
    from pathlib import Path

ARN = "arn:aws:ecs:us-east-1:123456789012:task/c/0123"


def cause(**more: Any) -> dict[str, Any]:
    document = {"TaskArn": ARN, "Containers": [{"Name": "task", **more}], "StoppedReason": "why"}
    return {"error": "States.TaskFailed", "cause": json.dumps(document)}


def test_the_end_of_a_container_that_succeeded() -> None:
    containers = [{"name": "result", "exit": 0}, {"name": "task", "exit": 3}]
    assert _end({"task": ARN, "containers": containers})[::2] == (3, ARN)


def test_the_end_of_a_container_that_failed() -> None:
    assert _end(cause(ExitCode=137, Reason="OutOfMemoryError")) == (137, "why; OutOfMemoryError", ARN)


def test_one_that_never_ran_has_no_exit_code() -> None:
    code, reason, _ = _end(cause(Reason="CannotPullContainerError"))
    assert (code, reason) == (None, "why; CannotPullContainerError")
    assert _end({"error": "ECS.InvalidParameterException", "cause": "no such image"})[:2] == (
        None,
        "no such image",
    )


def test_a_cause_that_was_cut_off_still_says_the_exit_code() -> None:
    whole = cause(ExitCode=99)
    assert _end({**whole, "cause": whole["cause"][:-4]})[::2] == (99, ARN)


def test_which_try_it_is() -> None:
    assert attempt_of({"task_id": "a", "ledger": {}}) == 0
    event = {"task_id": "a", "ledger": {"a": {"container": {"attempt": 2, "wait": 3}, "map_index": 0}}}
    assert attempt_of(event) == 2
    assert entry_before({"task_id": "a", "ledger": {"a": {"length": 3}}}) == {}


def test_variables_of_the_task_definition_are_not_given_again() -> None:
    cluster = [{"variable": "TOKEN", "kind": "secret"}, {"variable": None, "kind": "secret"}]
    workflow = {"tasks": [{"task_id": "a", "image": {"entry_point": None, "cluster": cluster}}]}
    work, ends = work_of(workflow, {"task_id": "a", "ledger": {}})
    task = SimpleNamespace(cmds=[], arguments=["run"], env_vars={"TOKEN": "no", "DAY": "2024-03-01"})
    ti: Any = None
    with pytest.raises(ImageStarts) as started:
        work(task, ti, {})
    [override] = started.value.overrides
    assert (override["Environment"], ends) == ([{"Name": "DAY", "Value": "2024-03-01"}], False)


def test_the_output_of_a_local_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert lines_of(ARN, "task") == []
    path = tmp_path / "image" / "task" / "0123.log"
    path.parent.mkdir(parents=True)
    path.write_text("one\ntwo\n")
    assert lines_of(ARN, "task") == ["one", "two"]


def test_the_output_on_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3
    from moto import mock_aws

    with mock_aws():
        monkeypatch.setenv(VARIABLE, "images")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setattr("orkestra_bridge.runtime.container_log.PATIENCE", (0.0,))
        logs: Any = boto3.client("logs", region_name="us-east-1")
        logs.create_log_group(logGroupName="images")
        assert lines_of(ARN, "task", last=True) == []
        stream = {"logGroupName": "images", "logStreamName": "image/task/0123"}
        logs.create_log_stream(**stream)
        now = int(time.time() * 1000)
        events = [{"timestamp": now + each, "message": f"line {each}"} for each in range(3)]
        logs.put_log_events(**stream, logEvents=events)
        assert lines_of(ARN, "task") == ["line 0", "line 1", "line 2"]
        assert lines_of(ARN, "task", last=True) == ["line 2"]


@pytest.mark.parametrize(
    "text",
    [
        "A=1\n\n# no\nexport B = two words # and why\nC='x # y'\n",
        'A="a\\nb"\nB=${A}\nC=${NOWHERE:-else}\nD=\nE\n',
        "A='it\\'s'\nB=a=b\nC=\"q\\\"q\" # why\nD=a#b\n",
    ],
)
def test_environment_files_are_read_as_python_dotenv_does(text: str) -> None:
    from dotenv import dotenv_values

    assert read(io.StringIO(text)) == dict(dotenv_values(stream=io.StringIO(text)))


def test_a_line_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match="line 2 of the environment file"):
        read(io.StringIO("A=1\n=2\n"))
