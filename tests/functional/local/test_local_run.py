"""Whole runs from an output folder, with a runtime that is simple enough to know what it does."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orkestra_bridge.errors import LocalRunError, OutputError, UsageError
from orkestra_bridge.local.interpreter import VirtualClock
from orkestra_bridge.local.run import RunRequest, RunResult, run_dag

if TYPE_CHECKING:
    from orkestra_bridge.local.interpreter import Event

HANDLER = """
import os, time
class Flaky(Exception): pass
def handle(event, context):
    task, attempt = event["task_id"], event["attempt"]
    print("running", task, "attempt", attempt)
    if task == "broken": raise ValueError("no good")
    if task == "flaky" and attempt < 2: raise Flaky("not yet")
    if task == "leaving": os._exit(3)
    if task == "slow": time.sleep(30)
    value = event["run"]["conf"].get(task, task)
    if task == "variable": value = os.environ.get("AIRFLOW_VAR_COLOUR")
    return {"state": "success", "tries": attempt + 1, "xcom": {"return_value": value}}
"""
FAILED = (
    "{% $merge([$states.input, {'NAME': {'state': 'failed', 'tries': $states.context.State.RetryCount + 1, "
    "'error': {'type': $states.errorOutput.Error, 'message': $states.errorOutput.Cause}}}]) %}"
)


def task(name: str, following: str, **fields: Any) -> dict[str, Any]:
    payload = {
        "task_id": name,
        "map_index": -1,
        "run": "{% $states.context.Execution.Input %}",
        "ledger": "{% $states.input %}",
        "attempt": "{% $states.context.State.RetryCount %}",
    }
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": "${TasksFunctionArn}", "Payload": payload},
        "Retry": [{"ErrorEquals": ["Flaky"], "IntervalSeconds": 3600, "MaxAttempts": 3}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": following, "Output": FAILED.replace("NAME", name)}],
        "Output": f"{{% $merge([$states.input, {{'{name}': $states.result.Payload}}]) %}}",
        "Next": following,
        **fields,
    }


def machine(*names: str, **fields: Any) -> dict[str, Any]:
    """Return a chain of tasks whose run fails if one of them did."""
    states = {
        name: task(name, following, **fields)
        for name, following in zip(names, [*names[1:], "Run state"], strict=True)
    }
    failed = "{% 'failed' in $each($states.input, function($entry) {$entry.state}) %}"
    choice = {"Type": "Choice", "Choices": [{"Condition": failed, "Next": "Failed"}], "Default": "Succeeded"}
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "Begin",
        "States": {
            "Begin": {"Type": "Pass", "Output": {}, "Next": names[0]},
            **states,
            "Run state": choice,
            "Succeeded": {"Type": "Succeed"},
            "Failed": {"Type": "Fail", "Error": "DagRunFailed", "Cause": "a leaf failed"},
        },
    }


def convert(out: Path, definition: dict[str, Any], dag_id: str = "the_dag") -> None:
    functions = out / dag_id / "functions"
    functions.mkdir(parents=True)
    (out / dag_id / "state_machine.asl.json").write_text(json.dumps(definition))
    with zipfile.ZipFile(functions / "tasks.zip", "w") as archive:
        archive.writestr("manifest.json", json.dumps({"version": 1, "requirements": []}))
        archive.writestr("orkestra_bridge/__init__.py", "")
        archive.writestr("orkestra_bridge/runtime/__init__.py", "")
        archive.writestr("orkestra_bridge/runtime/handler.py", HANDLER)


def request(out: Path, **fields: Any) -> RunRequest:
    given: dict[str, Any] = {"dag_id": "the_dag", "logical_date": "2024-03-01T00:00:00+00:00", **fields}
    return RunRequest(out=out, python=Path(sys.executable), **given)


def states(result: RunResult) -> dict[str, tuple[str, int]]:
    return {name: (task.state, task.tries) for name, task in result.tasks.items()}


def test_a_run_that_succeeds(tmp_path: Path) -> None:
    convert(tmp_path, machine("a", "b"))
    result = run_dag(request(tmp_path, conf={"b": {"k": [1]}}))
    document = result.to_json()
    assert isinstance(document.pop("seconds"), float)
    assert document == {
        "dag_id": "the_dag",
        "run_id": "manual__2024-03-01T00:00:00+00:00",
        "run_state": "success",
        "logical_date": "2024-03-01T00:00:00+00:00",
        "tasks": {"a": {"state": "success", "tries": 1}, "b": {"state": "success", "tries": 1}},
        "xcom": {"a": {"return_value": "a"}, "b": {"return_value": {"k": [1]}}},
    }


def test_a_run_that_fails_still_tells_of_all_its_tasks(tmp_path: Path) -> None:
    convert(tmp_path, machine("a", "broken", "leaving", "b"))
    result = run_dag(request(tmp_path))
    assert (result.run_state, result.error) == ("failed", "DagRunFailed")
    assert states(result) == {
        "a": ("success", 1),
        "broken": ("failed", 1),
        "leaving": ("failed", 1),
        "b": ("success", 1),
    }
    assert result.tasks["broken"].error == "ValueError: no good"
    assert "exit status 3" in str(result.tasks["leaving"].error)


def test_retries_wait_on_the_clock_that_is_given(tmp_path: Path) -> None:
    convert(tmp_path, machine("flaky"))
    clock = VirtualClock()
    result = run_dag(request(tmp_path), clock=clock)
    assert states(result) == {"flaky": ("success", 3)}
    assert clock.elapsed > 3600 * 3
    assert result.seconds < 60


def test_a_task_past_its_time_is_ended(tmp_path: Path) -> None:
    convert(tmp_path, machine("slow", TimeoutSeconds=1))
    result = run_dag(request(tmp_path))
    assert result.tasks["slow"].error == "States.Timeout"
    assert result.seconds < 20


def test_logs_and_events_of_a_run(tmp_path: Path) -> None:
    convert(tmp_path, machine("a", "flaky"))
    result = run_dag(request(tmp_path), clock=VirtualClock())
    assert result.logs == tmp_path.resolve() / ".runs" / "manual__2024-03-01T00_00_00+00_00"
    assert (result.logs / "a.log").read_text() == "--- attempt 1\nrunning a attempt 0\n"
    flaky = (result.logs / "flaky.log").read_text()
    assert [f"--- attempt {number}" in flaky for number in (1, 2, 3, 4)] == [True, True, True, False]
    assert "Flaky: not yet" in flaky
    events = [json.loads(line) for line in (result.logs / "events.jsonl").read_text().splitlines()]
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert (events[0]["type"], events[-1]["type"]) == ("ExecutionStarted", "ExecutionSucceeded")
    assert [event["attempt"] for event in events if event["type"] == "TaskFailed"] == [0, 1]


def test_the_same_run_twice_overwrites_nothing(tmp_path: Path) -> None:
    convert(tmp_path, machine("a"))
    first, second = (run_dag(request(tmp_path)) for _ in range(2))
    assert first.logs != second.logs
    assert (first.logs / "a.log").read_text() == (second.logs / "a.log").read_text()


def test_events_are_told_as_they_happen(tmp_path: Path) -> None:
    convert(tmp_path, machine("a"))
    heard: list[Event] = []
    run_dag(request(tmp_path), on_event=heard.append)
    assert [event.type for event in heard if event.name == "a"] == [
        "TaskStateEntered",
        "TaskScheduled",
        "TaskSucceeded",
        "TaskStateExited",
    ]


def test_settings_reach_the_tasks(tmp_path: Path) -> None:
    convert(tmp_path, machine("variable"))
    result = run_dag(request(tmp_path, environment={"AIRFLOW_VAR_COLOUR": "green"}))
    assert result.tasks["variable"].xcom == {"return_value": "green"}


def test_a_dag_that_is_not_there(tmp_path: Path) -> None:
    convert(tmp_path, machine("a"))
    with pytest.raises(UsageError, match=r"no DAG 'other'.*it has the_dag"):
        run_dag(request(tmp_path, dag_id="other"))
    with pytest.raises(UsageError, match="it has no DAG at all"):
        run_dag(request(tmp_path / "nowhere"))


def test_a_date_that_is_none(tmp_path: Path) -> None:
    convert(tmp_path, machine("a"))
    with pytest.raises(UsageError, match="'yesterday' is not a date"):
        run_dag(request(tmp_path, logical_date="yesterday"))
    assert not (tmp_path / ".runs").exists()


def test_a_machine_that_cannot_be_run_here(tmp_path: Path) -> None:
    definition = machine("a")
    definition["States"]["a"]["HeartbeatSeconds"] = 5
    convert(tmp_path, definition)
    with pytest.raises(LocalRunError, match="HeartbeatSeconds"):
        run_dag(request(tmp_path))


def test_a_service_that_is_not_here(tmp_path: Path) -> None:
    definition = machine("a")
    definition["States"]["a"]["Resource"] = "arn:aws:states:::sns:publish"
    convert(tmp_path, definition)
    with pytest.raises(LocalRunError, match="sns:publish"):
        run_dag(request(tmp_path))


def test_a_package_that_is_broken(tmp_path: Path) -> None:
    convert(tmp_path, machine("a"))
    (tmp_path / "the_dag" / "functions" / "tasks.zip").write_bytes(b"nothing of the kind")
    with pytest.raises(LocalRunError, match="cannot be used"):
        run_dag(request(tmp_path))


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    convert(tmp_path, machine("a"))
    (tmp_path / ".runs").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be made"):
        run_dag(request(tmp_path))
