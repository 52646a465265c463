"""Functions in real worker processes: answers, Lambda's own errors, isolation, and what is left behind."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orkestra_bridge.errors import LocalRunError
from orkestra_bridge.local.functions.model import Answer, FunctionSpec
from orkestra_bridge.local.functions.pool import FunctionPool
from orkestra_bridge.local.functions.tasks import INVOKE, LambdaTasks
from orkestra_bridge.local.interpreter import Execution, RealClock, execute

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

HANDLER = """
import importlib, json, logging, os, signal, subprocess, sys, time
loaded = time.time()

class OutOfStock(Exception):
    pass

def handle(event, context):
    do = event["do"]
    if do == "echo": return {"heard": event, "pid": os.getpid(), "loaded": loaded}
    if do == "fail": raise OutOfStock("no more")
    if do == "sleep": time.sleep(event["seconds"]); return os.getpid()
    if do == "exit": sys.exit(event["code"])
    if do == "signal": os.kill(os.getpid(), event["number"])
    if do == "environment": return dict(os.environ)
    if do == "set": return {1, 2}
    if do == "nan": return float("nan")
    if do == "import": return importlib.import_module(event["name"]).__name__
    if do == "print":
        print("out", event["text"])
        print("err", file=sys.stderr)
        os.system("echo shell")
    if do == "warn": logging.getLogger("mine").warning("careful")
    if do == "grow": data = bytearray(event["mebibytes"] * 2**20); time.sleep(5); return len(data)
    if do == "much": return "x" * event["size"]
    if do == "context":
        return [context.aws_request_id, context.get_remaining_time_in_millis(), context.function_name]
    if do == "offspring":
        child = subprocess.Popen(["sleep", "60"])
        open(event["file"], "w").write(str(child.pid))
        time.sleep(60)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "app.py").write_text(HANDLER)
    return folder


def spec(root: Path, **fields: Any) -> FunctionSpec:
    given: dict[str, Any] = {"handler": "app.handle", "preload": (), "timeout": 20.0, **fields}
    return FunctionSpec(task_root=root, python=Path(sys.executable), **given)


def run(function: FunctionSpec, use: Callable[[FunctionPool], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with FunctionPool(function) as pool:
            return await use(pool)

    return asyncio.run(main())


def invoke(function: FunctionSpec, event: Any, log: Path | None = None) -> Answer:
    answer: Answer = run(function, lambda pool: pool.invoke(event, log=log))
    return answer


def test_a_worker_is_kept_warm(root: Path) -> None:
    async def use(pool: FunctionPool) -> list[Answer]:
        return [await pool.invoke({"do": "echo", "n": number}) for number in range(5)]

    answers = run(spec(root), use)
    assert [answer.payload["heard"]["n"] for answer in answers] == list(range(5))
    assert len({(answer.payload["pid"], answer.payload["loaded"]) for answer in answers}) == 1


def test_an_exception_is_answered_as_lambda_does(root: Path) -> None:
    answer = invoke(spec(root), {"do": "fail"})
    assert answer.failed
    assert (answer.payload["errorType"], answer.payload["errorMessage"]) == ("OutOfStock", "no more")
    assert answer.payload["requestId"]
    assert "app.py" in answer.payload["stackTrace"][-1]


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"do": "exit", "code": 3}, "Runtime exited with error: exit status 3"),
        ({"do": "exit", "code": 0}, "Runtime exited without providing a reason"),
        ({"do": "signal", "number": 9}, "Runtime exited with error: signal: killed"),
        ({"do": "signal", "number": 11}, "Runtime exited with error: signal: segmentation fault"),
    ],
)
def test_an_exit_is_an_error_and_the_next_invocation_gets_a_new_worker(
    root: Path, event: dict[str, Any], words: str
) -> None:
    async def use(pool: FunctionPool) -> tuple[Answer, Answer]:
        return await pool.invoke(event), await pool.invoke({"do": "echo"})

    ended, after = run(spec(root), use)
    assert ended.failed
    assert ended.payload["errorType"] == "Runtime.ExitError"
    assert ended.payload["errorMessage"].endswith(words)
    assert not after.failed


def test_a_timeout_kills_the_worker_and_what_it_has_started(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    began = time.monotonic()
    answer = invoke(spec(root, timeout=0.7), {"do": "offspring", "file": str(file)})
    assert time.monotonic() - began < 10
    assert answer.payload["errorType"] == "Sandbox.Timedout"
    assert answer.payload["errorMessage"].endswith("Error: Task timed out after 0.70 seconds")
    assert gone(int(file.read_text()))


def test_a_cancelled_invocation_is_killed(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "pid"

    async def use(pool: FunctionPool) -> Answer:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(pool.invoke({"do": "offspring", "file": str(file)}), 0.7)
        return await pool.invoke({"do": "echo"})

    assert not run(spec(root), use).failed
    assert gone(int(file.read_text()))


def gone(pid: int) -> bool:
    for _ in range(100):
        status = Path(f"/proc/{pid}/status")
        if not status.exists() or "State:\tZ" in status.read_text():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_a_worker_that_grows_too_large_is_killed(root: Path) -> None:
    answer = invoke(spec(root, memory=150), {"do": "grow", "mebibytes": 400})
    assert answer.payload["errorType"] == "Runtime.OutOfMemory"


@pytest.mark.parametrize("event", [{"do": "set"}, {"do": "nan"}])
def test_an_answer_has_to_be_json(root: Path, event: dict[str, Any]) -> None:
    answer = invoke(spec(root), event)
    assert (answer.failed, answer.payload["errorType"]) == (True, "Runtime.MarshalError")


def test_an_answer_has_a_largest_size(root: Path) -> None:
    answer = invoke(spec(root), {"do": "much", "size": 7 * 2**20})
    assert (answer.failed, answer.payload["errorType"]) == (True, "Function.ResponseSizeTooLarge")


@pytest.mark.parametrize(
    ("handler", "source", "kind"),
    [
        ("absent.handle", "", "Runtime.ImportModuleError"),
        ("app.nothing", HANDLER, "Runtime.HandlerNotFound"),
        ("broken.handle", "import no_such_module", "Runtime.ImportModuleError"),
        ("wrong.handle", "1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_function_that_cannot_start_says_why(root: Path, handler: str, source: str, kind: str) -> None:
    if source:
        (root / f"{handler.partition('.')[0]}.py").write_text(source)

    async def use(pool: FunctionPool) -> list[Answer]:
        return await asyncio.gather(*(pool.invoke({"do": "echo"}) for _ in range(3)))

    for answer in run(spec(root, handler=handler), use):
        assert answer.failed
        assert answer.payload["errorType"] == kind


def test_only_listed_modules_can_be_imported(root: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    for name in ("listed", "unlisted"):
        (site / f"{name}.py").write_text("")
    function = spec(root, site_packages=(site,), modules=("listed",))

    async def use(pool: FunctionPool) -> list[Answer]:
        return [
            await pool.invoke({"do": "import", "name": name}) for name in ("listed", "unlisted", "pytest")
        ]

    listed, *others = run(function, use)
    assert listed.payload == "listed"
    assert [other.payload["errorType"] for other in others] == ["ModuleNotFoundError"] * 2


def test_the_environment_holds_nothing_of_ours(root: Path) -> None:
    environment = invoke(spec(root, environment={"AIRFLOW_VAR_X": "1"}), {"do": "environment"}).payload
    assert environment["AIRFLOW_VAR_X"] == "1"
    assert environment["LAMBDA_TASK_ROOT"] == str(root)
    lambdas = {name for name in environment if name.startswith(("AWS_", "AIRFLOW_"))}
    known = {"PATH", "LD_LIBRARY_PATH", "HOME", "TMPDIR", "LANG", "TZ", "LAMBDA_TASK_ROOT", "_HANDLER"}
    assert set(environment) <= known | lambdas
    assert not {name for name in lambdas if "SECRET" in name or "TOKEN" in name}


def test_what_a_task_prints_is_in_its_own_log(root: Path, tmp_path: Path) -> None:
    async def use(pool: FunctionPool) -> None:
        for text in ("first", "second", "first"):
            await pool.invoke({"do": "print", "text": text}, log=tmp_path / f"{text}.log")
        await pool.invoke({"do": "warn"}, log=tmp_path / "warn.log")

    run(spec(root), use)
    assert (tmp_path / "second.log").read_text().split("\n") == ["out second", "err", "shell", ""]
    assert (tmp_path / "first.log").read_text().count("out first") == 2
    assert "[WARNING]" in (tmp_path / "warn.log").read_text()


def test_a_killed_task_leaves_what_it_had_printed(root: Path, tmp_path: Path) -> None:
    log = tmp_path / "task.log"
    (root / "app.py").write_text("import time\ndef handle(e, c):\n    print('working')\n    time.sleep(60)\n")
    invoke(spec(root, timeout=0.5), {}, log)
    assert log.read_text() == "working\n"


def test_the_context_is_lambdas(root: Path) -> None:
    request_id, left, name = invoke(spec(root, timeout=9.0), {"do": "context"}).payload
    assert len(request_id) == 36
    assert 5000 < left <= 9000
    assert name == "tasks"


def test_sleeping_tasks_sleep_side_by_side(root: Path) -> None:
    async def use(pool: FunctionPool) -> list[Answer]:
        return await asyncio.gather(*(pool.invoke({"do": "sleep", "seconds": 2.0}) for _ in range(16)))

    began = time.monotonic()
    answers = run(spec(root), use)
    assert time.monotonic() - began < 16
    assert len({answer.payload for answer in answers}) == 16


def test_invocations_wait_for_a_worker_if_there_are_enough(root: Path) -> None:
    async def use(pool: FunctionPool) -> list[Answer]:
        return await asyncio.gather(*(pool.invoke({"do": "sleep", "seconds": 0.1}) for _ in range(6)))

    assert len({answer.payload for answer in run(spec(root, max_workers=2), use)}) <= 2


def test_short_tasks_share_workers(root: Path) -> None:
    async def use(pool: FunctionPool) -> int:
        await asyncio.gather(*(pool.invoke({"do": "echo"}) for _ in range(60)))
        return pool.started

    assert run(spec(root), use) < 30


def test_a_python_that_is_not_there(root: Path) -> None:
    function = FunctionSpec(task_root=root, python=Path("/no/such/python"), handler="app.handle")
    with pytest.raises(LocalRunError, match="cannot be started"):
        invoke(function, {})


def test_a_program_that_is_no_python(root: Path) -> None:
    function = FunctionSpec(task_root=root, python=Path("/bin/true"), handler="app.handle")
    with pytest.raises(LocalRunError, match="has ended"):
        invoke(function, {})


def open_files() -> int:
    """Return how many file descriptors this process has open, 0 where the system does not tell."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_nothing_is_left_behind(root: Path) -> None:
    async def use(pool: FunctionPool) -> list[Answer]:
        return await asyncio.gather(*(pool.invoke({"do": "sleep", "seconds": 0.2}) for _ in range(4)))

    before = open_files()
    pids = [answer.payload for answer in run(spec(root), use)]
    assert all(gone(pid) for pid in pids)
    assert open_files() <= before
    assert json.dumps(sorted(path.name for path in root.iterdir())) == '["app.py"]'


def test_time_limits_do_not_count_the_wait_for_a_worker(root: Path) -> None:
    function = spec(root, max_workers=1)
    state = {
        "Type": "Map",
        "Items": [1, 2, 3, 4],
        "ItemProcessor": {
            "StartAt": "Nap",
            "States": {
                "Nap": {
                    "Type": "Task",
                    "Resource": INVOKE,
                    "Arguments": {"FunctionName": function.arn, "Payload": {"do": "sleep", "seconds": 0.5}},
                    "TimeoutSeconds": 1,
                    "End": True,
                }
            },
        },
        "Output": "{% $count($states.result) %}",
        "End": True,
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": "Naps", "States": {"Naps": state}}
    clock = RealClock()

    async def use(pool: FunctionPool) -> Execution:
        tasks = LambdaTasks({function.arn: pool}, clock, lambda _: None)
        return await execute(definition, {}, tasks=tasks, clock=clock)

    ended = run(function, use)
    assert (ended.status, ended.output, ended.cause) == ("SUCCEEDED", 4, None)
