"""What is read from the states of a run: results of tasks, lines of the live view, names of logs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from orkestra_bridge.errors import LocalRunError, OutputError
from orkestra_bridge.local.board import Board, Line
from orkestra_bridge.local.interpreter import Event, TaskCall
from orkestra_bridge.local.ledger import Ledger, TaskResult, error_text, is_entry
from orkestra_bridge.local.record import RunFolder, safe_name, task_id_of
from orkestra_bridge.local.run import RunRequest, RunResult, run_document
from orkestra_bridge.local.view import line_text, live_view, print_result
from orkestra_bridge.runtime.large import LargeXComs
from orkestra_bridge.runtime.storage import FolderStore

if TYPE_CHECKING:
    from datetime import datetime

INVOKE = "arn:aws:states:::lambda:invoke"


def event(kind: str, name: str = "", **details: Any) -> Event:
    return Event(id=1, timestamp="2030-01-01T00:00:00.000Z", type=kind, name=name, details=details)


def exited(name: str, output: Any) -> Event:
    return event("TaskStateExited", name, output=output)


def call(task_id: str, attempt: int = 0, **payload: Any) -> TaskCall:
    arguments = {"FunctionName": "f", "Payload": {"task_id": task_id, "map_index": -1, **payload}}
    return TaskCall(resource="r", arguments=arguments, state=task_id, attempt=attempt, context={})


def test_results_are_gathered_from_outputs() -> None:
    ledger = Ledger()
    ledger.hear(event("ExecutionStarted", input={"x": {"state": "success"}}))
    ledger.hear(exited("a", {"a": {"state": "success", "tries": 2, "xcom": {"k": 1, "b": None}}}))
    ledger.hear(exited("b", {"b": {"state": "upstream_failed", "tries": 0}, "other": {"state": "odd"}}))
    ledger.hear(exited("list", [{"state": "success"}]))
    assert ledger.results() == {
        "a": TaskResult(state="success", tries=2, xcom={"b": None, "k": 1}),
        "b": TaskResult(state="upstream_failed", tries=0, xcom={}),
    }


def test_xcoms_that_were_stored_are_shown(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    pushed = {"return_value": {"__xcom__": "tuple", "value": ["x" * 10_000]}, "k": 1}
    LargeXComs(store, "e").put_away(pushed, "m", 3)
    ledger = Ledger(store, "e")
    ledger.hear(exited("m", {"m": {"state": "success", "tries": 1, "map_index": 3, "xcom": pushed}}))
    assert ledger.results()["m[3]"].xcom == {"k": 1, "return_value": ["x" * 10_000]}
    (tmp_path / "e" / "m" / "3" / "return_value.json").unlink()
    with pytest.raises(LocalRunError, match="XCom 'return_value' of task 'm' is stored and cannot be had"):
        ledger.results()


@pytest.mark.parametrize(
    ("value", "yes"),
    [({"state": "failed"}, True), ({"state": "x"}, False), ({}, False), (None, False), ("failed", False)],
)
def test_what_an_entry_is(value: Any, yes: bool) -> None:
    assert is_entry(value) is yes


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            {"type": "ValueError", "message": '{"errorMessage":"no \\"good\\"","errorType":"ValueError"}'},
            'ValueError: no "good"',
        ),
        (
            {"type": "ValueError", "message": '{"errorMessage": "cut off", "stackTrace": ["File'},
            "ValueError: cut off",
        ),
        ({"type": "ValueError", "message": "plain"}, "ValueError: plain"),
        ({"type": "ValueError", "message": '{"a": 1}'}, 'ValueError: {"a": 1}'),
        ({"type": "States.Timeout", "message": ""}, "States.Timeout"),
        (None, None),
    ],
)
def test_errors_are_told_in_few_words(error: Any, text: str | None) -> None:
    assert error_text({"state": "failed", "error": error}) == text


def test_names_of_logs() -> None:
    assert task_id_of("state", call("load").arguments) == "load"
    assert task_id_of("state", call("load", map_index=3).arguments) == "load[3]"
    assert task_id_of("state", {"Other": 1}) == "state"
    assert task_id_of("state", None) == "state"
    assert safe_name("manual__2024-03-01T00:00:00+00:00") == "manual__2024-03-01T00_00_00+00_00"
    assert safe_name("../../etc/passwd") == "_.._etc_passwd"
    assert safe_name("group.task[0]") == "group.task[0]"
    assert len(safe_name("x" * 500)) <= 120
    assert safe_name("größe") == "größe"
    assert len(safe_name("日本語" * 20).encode()) <= 120


def test_a_run_folder_is_always_a_new_one(tmp_path: Path) -> None:
    paths = []
    for _ in range(3):
        with RunFolder(tmp_path, "r:1") as folder:
            paths.append(folder.path.name)
    assert paths == ["r_1", "r_1-2", "r_1-3"]
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        RunFolder(tmp_path / "file", "r")


def test_events_are_written_without_large_data(tmp_path: Path) -> None:
    with RunFolder(tmp_path, "r") as folder:
        folder.hear(event("TaskSucceeded", "a", result={"small": 1}, attempt=0))
        folder.hear(event("TaskSucceeded", "b", result={"large": "x" * 10_000}, attempt=0))
        folder.log_of(call("a", 0))
        log = folder.log_of(call("a", 1))
    small, large = (json.loads(line) for line in (folder.path / "events.jsonl").read_text().splitlines())
    assert small["result"] == {"small": 1}
    assert "result" not in large
    assert large["attempt"] == 0
    assert log.read_text() == "--- attempt 1\n--- attempt 2\n"


def board() -> Board:
    times = iter(range(100))
    return Board(clock=lambda: float(next(times)))


def test_the_board_says_nothing_of_joins() -> None:
    view = board()
    call_of_join = {"TableName": "joins", "Key": {"id": {"S": "1#a"}}}
    resource = "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken"
    view.hear(event("TaskScheduled", "Wait before a", resource=resource, arguments=call_of_join, attempt=0))
    view.hear(event("TaskRetried", "Wait before a", error="DynamoDb.Throttled", seconds=1.0, attempt=1))
    assert view.hear(exited("Wait before a", {"b": {"state": "success", "tries": 1}})) is None
    assert (view.working, view.counts) == ({}, {})


def test_the_board_follows_a_task() -> None:
    view = board()
    scheduled = event("TaskScheduled", "a", resource=INVOKE, arguments=call("a").arguments, attempt=0)
    assert view.hear(scheduled) is None
    assert [line.state for line in view.working.values()] == ["running"]
    view.hear(event("TaskRetried", "a", error="Flaky", seconds=5.0, attempt=1))
    assert [(line.state, line.note) for line in view.working.values()] == [("waiting", "Flaky, again in 5 s")]
    view.hear(event("TaskScheduled", "a", resource=INVOKE, arguments=call("a").arguments, attempt=1))
    line = view.hear(exited("a", {"a": {"state": "success", "tries": 2}}))
    assert line is not None
    assert (line.task_id, line.state, line.tries, line.seconds) == ("a", "success", 2, 1.0)
    assert view.working == {}
    assert view.counts == {"success": 1}


def test_the_board_knows_tasks_without_a_function() -> None:
    line = board().hear(event("PassStateExited", "done", output={"done": {"state": "skipped", "tries": 0}}))
    assert line is not None
    assert (line.task_id, line.state, line.seconds) == ("done", "skipped", 0.0)
    assert board().hear(event("PassStateExited", "helper", output={"other": 1})) is None


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (Line(task_id="a", state="success", tries=1, since=0, seconds=1.26), "+ a  success  1.3 s"),
        (Line(task_id="b", state="failed", tries=3, since=0, note="E: x"), "x b  failed  try 3  0.0 s  E: x"),
    ],
)
def test_lines_of_the_view(line: Line, text: str) -> None:
    assert line_text(line).plain == text


def test_the_view_is_quiet_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with live_view("the_dag") as on_event:
        on_event(exited("a", {"a": {"state": "success", "tries": 1}}))
    assert capsys.readouterr() == ("", "")


def test_the_view_prints_tasks_as_they_end(tmp_path: Path) -> None:
    file = tmp_path / "screen"
    with file.open("w") as screen:
        console = Console(file=screen, force_terminal=True, width=80, no_color=True)
        with live_view("the_dag", console=console) as on_event:
            for number in range(20):
                name = f"t{number}"
                on_event(
                    Event(
                        id=1,
                        timestamp="",
                        type="TaskScheduled",
                        name=name,
                        scope="",
                        details={"resource": INVOKE, "arguments": call(name).arguments, "attempt": 0},
                    )
                )
            on_event(exited("t1", {"t1": {"state": "failed", "tries": 1}}))
    text = file.read_text()
    assert "x t1" in text
    assert "and 7 more" in text
    assert "19 at work, 1 failed" in text


def test_the_result_is_printed(tmp_path: Path) -> None:
    result = RunResult(
        dag_id="d",
        run_id="r",
        run_state="failed",
        logical_date="2024-03-01T00:00:00+00:00",
        seconds=1.25,
        tasks={"a": TaskResult(state="failed", tries=2, xcom={}, error="E: [odd] words")},
        logs=tmp_path,
        error="States.Timeout",
    )
    file = tmp_path / "screen"
    with file.open("w") as screen:
        print_result(result, console=Console(file=screen, width=200))
    text = file.read_text()
    assert "x failed" in text
    assert "E: [odd] words" in text
    assert "d r: failed in 1.2 s" in text
    assert "States.Timeout" in text
    assert str(tmp_path) in text


@pytest.mark.parametrize(
    ("given", "date"),
    [
        (None, "2030-05-05T10:00:00+00:00"),
        ("2024-03-01", "2024-03-01T00:00:00+00:00"),
        ("2024-03-01T02:00:00Z", "2024-03-01T02:00:00+00:00"),
        ("2024-03-01T02:00:00+02:00", "2024-03-01T02:00:00+02:00"),
    ],
)
def test_run_documents(given: str | None, date: str) -> None:
    request = RunRequest(out=Path(), dag_id="d", python=Path(), logical_date=given, conf={"a": 1})
    assert run_document(request, now()) == {
        "run_id": f"manual__{date}",
        "run_type": "manual",
        "logical_date": date,
        "conf": {"a": 1},
    }


def now() -> datetime:
    from datetime import datetime, timezone

    return datetime(2030, 5, 5, 10, tzinfo=timezone.utc)
