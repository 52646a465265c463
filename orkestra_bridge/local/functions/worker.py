"""Lambda workers: a warm parent that has imported the runtime, and the workers it forks. Runs on its own.

Started through ``isolation.py`` with ``worker.py:serve``. The parent reads one JSON object per line from its
stdin:

    {"start": id, "api": "127.0.0.1:port/token", "environment": {...}}    fork a worker

and writes to its stdout ``{"started": id, "pid": n}`` and ``{"exited": n, "status": code or minus signal}``.
When stdin ends it kills what it has forked and exits. A worker asks the Runtime API for invocations and
answers them, like AWS's runtime interface client; the header ``Orkestra-Log-File`` of an invocation names the
file that its output goes to. Stdlib only, Python 3.8 and later.
"""

from __future__ import annotations

import contextlib
import gc
import http.client
import importlib
import json
import logging
import os
import select
import signal
import sys
import time
import traceback
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable

API = "/2018-06-01/runtime"
LOG_FORMAT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(message)s"


def serve(config: dict[str, Any]) -> int:
    """Fork workers until stdin ends, and return the exit code.

    The configuration: ``handler``; ``preload``, modules to import first, and ``preload_path``, folders to
    find them in; ``keeps_bytecode``, whether compiled modules are written beside the modules.
    """
    control = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)
    if config.get("keeps_bytecode"):
        sys.dont_write_bytecode = False
    sys.path[:0] = config.get("preload_path", ())
    for name in config.get("preload", ()):
        # A worker imports it again and reports what is wrong, as an error of the function.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    wakeup, notify = os.pipe()
    os.set_blocking(notify, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.set_wakeup_fd(notify, warn_on_full_buffer=False)
    _Parent(config["handler"], control, wakeup).run()
    return 0


class _Parent:
    def __init__(self, handler: str, control: Any, wakeup: int) -> None:
        self.handler, self.control, self.wakeup = handler, control, wakeup
        self.workers: set[int] = set()

    def run(self) -> None:
        pending = b""
        while True:
            ready, _, _ = select.select([0, self.wakeup], [], [])
            if self.wakeup in ready:
                os.read(self.wakeup, 4096)
                self.reap()
            if 0 in ready:
                data = os.read(0, 65536)
                if not data:
                    break
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    self.start(json.loads(line))
        for pid in self.workers:
            with contextlib.suppress(OSError):
                os.killpg(pid, signal.SIGKILL)

    def reap(self) -> None:
        while self.workers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self.workers.discard(pid)
            # What the worker left running in its group has nobody to end it.
            with contextlib.suppress(OSError):
                os.killpg(pid, signal.SIGKILL)
            code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
            self.tell(exited=pid, status=code)

    def start(self, command: dict[str, Any]) -> None:
        pid = os.fork()
        if pid == 0:
            _become_worker(self.handler, command, [self.control.fileno(), self.wakeup])
        self.workers.add(pid)
        self.tell(started=command["start"], pid=pid)

    def tell(self, **fields: Any) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.control.write(json.dumps(fields) + "\n")
            self.control.flush()


def _become_worker(handler: str, command: dict[str, Any], private: list[int]) -> None:
    """Turn this forked process into a worker; never returns."""
    code = 1
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for descriptor in private:
            os.close(descriptor)
        silence = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(silence, descriptor)
        os.environ.clear()
        os.environ.update(command["environment"])
        time.tzset()
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - lives as long as the process
        sys.stdout = open(1, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
        code = work(handler, command["api"])
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except (ConnectionError, http.client.HTTPException):
        code = 0  # whoever started us is gone
    except BaseException:  # noqa: BLE001 - a forked process must not return into its parent's code
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code & 0xFF)


def work(handler: str, api: str) -> int:
    """Answer invocations of the handler until the Runtime API says that it was the last one; return 0."""
    place, _, token = api.partition("/")
    client = _Client(place, token)
    _log_like_lambda()
    try:
        module, _, name = handler.rpartition(".")
        function = getattr(importlib.import_module(module), name)
    except Exception as problem:
        client.post("init/error", _error_document(problem, ""))
        raise
    while True:
        headers, body = client.get("invocation/next")
        if headers is None:
            return 0
        _answer(client, function, headers, body)


def _answer(client: _Client, function: Callable[[Any, Any], Any], headers: Any, body: bytes) -> None:
    request_id = headers["Lambda-Runtime-Aws-Request-Id"]
    _redirect(unquote(headers.get("Orkestra-Log-File", "")) or os.devnull)
    try:
        try:
            answer = function(json.loads(body), _context(headers))
        except Exception as problem:  # noqa: BLE001 - every error of user code is the answer
            traceback.print_exc()
            outcome, document = "error", _error_document(problem, request_id)
        else:
            outcome, document = _answer_document(answer, request_id)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    _redirect(os.devnull)
    client.post(f"invocation/{request_id}/{outcome}", document)


def _redirect(path: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def _answer_document(answer: Any, request_id: str) -> tuple[str, bytes]:
    try:
        return "response", json.dumps(answer, allow_nan=False).encode()
    except (TypeError, ValueError) as problem:
        message = f"Unable to marshal response: {problem}"
        error = {
            "errorType": "Runtime.MarshalError",
            "errorMessage": message,
            "requestId": request_id,
            "stackTrace": [],
        }
        return "error", json.dumps(error).encode()


def _error_document(problem: BaseException, request_id: str) -> bytes:
    frames = [frame for frame in traceback.extract_tb(problem.__traceback__) if frame.filename != __file__]
    error = {
        "errorMessage": str(problem),
        "errorType": type(problem).__name__,
        "requestId": request_id,
        "stackTrace": traceback.format_list(frames),
    }
    if not request_id and isinstance(problem, ImportError):
        error["errorType"] = "Runtime.ImportModuleError"
        error["errorMessage"] = f"Unable to import module: {problem}"
    if not request_id and isinstance(problem, AttributeError):
        error["errorType"] = "Runtime.HandlerNotFound"
    return json.dumps(error).encode()


def _context(headers: Any) -> SimpleNamespace:
    """Return the context object of an invocation (AWS: "Using the Lambda context object")."""
    deadline = int(headers["Lambda-Runtime-Deadline-Ms"])
    return SimpleNamespace(
        aws_request_id=headers["Lambda-Runtime-Aws-Request-Id"],
        invoked_function_arn=headers["Lambda-Runtime-Invoked-Function-Arn"],
        function_name=os.environ.get("AWS_LAMBDA_FUNCTION_NAME"),
        function_version=os.environ.get("AWS_LAMBDA_FUNCTION_VERSION"),
        memory_limit_in_mb=os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
        log_group_name=os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME"),
        log_stream_name=os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME"),
        client_context=None,
        identity=None,
        get_remaining_time_in_millis=lambda: max(0, deadline - int(time.time() * 1000)),
    )


def _log_like_lambda() -> None:
    """Give the root logger the handler that it has on Lambda; its level stays at WARNING, as there."""
    formatter = logging.Formatter(LOG_FORMAT, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.getLogger().addHandler(handler)


class _Client:
    """A connection to the Runtime API."""

    def __init__(self, place: str, token: str) -> None:
        self.connection = http.client.HTTPConnection(place)
        self.base = f"/{token}{API}/"

    def get(self, path: str) -> tuple[Any, bytes]:
        return self._ask("GET", path, None)

    def post(self, path: str, body: bytes) -> None:
        self._ask("POST", path, body)

    def _ask(self, method: str, path: str, body: bytes | None) -> tuple[Any, bytes]:
        self.connection.request(method, self.base + path, body)
        response = self.connection.getresponse()
        data = response.read()
        return (response.headers if response.status < 300 else None), data
