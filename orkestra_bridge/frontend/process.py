"""One worker process: start it, talk to it, end it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import select
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from orkestra_bridge.errors import EnvironmentSetupError
from orkestra_bridge.project.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orkestra_bridge.frontend.model import DagFile, Environment

WORKER = Path(__file__).with_name("worker.py")
_PIPE_BYTES = 1 << 20
_FRAME = re.compile(r'^\s+File "(?P<path>.+)", line (?P<line>\d+)', re.MULTILINE)
# Variables of ours or of the caller's that would change how Airflow or Python behave in the worker.
_DROPPED = ("PYTHONWARNINGS", "PYTHONINSPECT", "PYTHONSTARTUP", "PYTHONDEVMODE", "_AIRFLOW__AS_LIBRARY")
_FORCED = {
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite://",
    "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "FATAL",
    "AIRFLOW__LOGGING__FAB_LOGGING_LEVEL": "FATAL",
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
}


def worker_environment(home: Path, values: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment variables of a worker.

    The caller's and the project's ``values``, with a scratch AIRFLOW_HOME and no real database.
    """
    kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    kept.update(values or {})
    return {**kept, **_FORCED, "AIRFLOW_HOME": str(home)}


def _configuration(around: Surroundings) -> dict[str, Any]:
    return {"search": [str(folder) for folder in around.search], "assume": around.assume_missing}


class WorkerDied(Exception):  # noqa: N818 -- an event, not a mistake
    """The worker process is gone."""


class WorkerProcess:
    """A started worker; `ready` turns True when it has imported Airflow."""

    def __init__(
        self, environment: Environment, home: Path, surroundings: Surroundings | None = None
    ) -> None:
        around = surroundings or Surroundings()
        self._environment = environment
        self._crash = tempfile.TemporaryFile()  # noqa: SIM115 -- closed by `close`
        requests, self._requests = os.pipe()
        self._answers, answers = os.pipe()
        with contextlib.suppress(
            OSError, AttributeError
        ):  # a bigger pipe lets the worker run ahead; Linux only
            fcntl.fcntl(answers, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        numbers = (requests, answers, self._crash.fileno())
        try:
            self._process = subprocess.Popen(
                [environment.python, WORKER, *map(str, numbers), json.dumps(_configuration(around))],
                pass_fds=numbers,
                env=worker_environment(home, around.values),
                cwd=around.working_directory,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._crash,
                start_new_session=True,
            )
        except OSError as error:
            raise EnvironmentSetupError(
                f"{environment.python} cannot be started: {error.strerror}",
                remedy="name the Python of an Airflow environment with --airflow-python",
            ) from error
        finally:
            os.close(requests)
            os.close(answers)
        self._buffer = b""
        self.ready = False

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when there is an answer."""
        return self._answers

    def send(self, number: int, file: DagFile, timeout: float) -> None:
        """Ask for a file; raises WorkerDied if nobody listens any more."""
        request = {"id": number, "root": str(file.root), "relative": file.relative, "timeout": timeout}
        try:
            os.write(self._requests, json.dumps(request).encode() + b"\n")
        except BrokenPipeError as error:
            raise WorkerDied from error

    def receive(self) -> list[dict[str, Any]]:
        """Return the answers that have arrived; waits for some bytes; raises WorkerDied at the end."""
        chunk = os.read(self._answers, _PIPE_BYTES)
        if not chunk:
            raise WorkerDied
        *lines, self._buffer = (self._buffer + chunk).split(b"\n")
        messages = [orjson.loads(line) for line in lines]
        return [message for message in messages if not self._start_message(message)]

    def _start_message(self, message: dict[str, Any]) -> bool:
        if "failed" in message:
            raise EnvironmentSetupError(
                f"Airflow cannot be imported by {self._environment.python}: {message['failed']}",
                remedy="repair that environment, or let --airflow-version make one",
            )
        if "ready" in message:
            self.ready = True
            return True
        return False

    def where(self, file: DagFile) -> tuple[str, int] | None:
        """Return the place in the user's files that the last crash report names, innermost first."""
        self._crash.seek(0)
        report = self._crash.read().decode("utf-8", "replace")
        root = f"{file.root}{os.sep}"
        for match in _FRAME.finditer(report):
            if match["path"].startswith(root):
                return match["path"].removeprefix(root), int(match["line"])
        return None

    def startup_error(self) -> str:
        """Return the last line that a worker wrote which never became ready."""
        self._crash.seek(0)
        lines = self._crash.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else f"it ended with code {self._process.wait()}"

    def interrupt(self) -> None:
        """Make a stuck worker write down where it is, so that `where` knows."""
        with contextlib.suppress(OSError):
            os.kill(self._process.pid, signal.SIGUSR2)
        deadline = time.monotonic() + 1.0
        while os.fstat(self._crash.fileno()).st_size == 0 and time.monotonic() < deadline:
            time.sleep(0.01)

    def ending(self) -> str:
        """Return how the process ended, in words."""
        code = self._process.wait()
        if code >= 0:
            return f"with exit code {code}"
        with contextlib.suppress(ValueError):
            return f"by signal {signal.Signals(-code).name}"
        return f"by signal {-code}"

    def close(self) -> None:
        """End the process and whatever user code started in it."""
        with contextlib.suppress(OSError):
            os.close(self._requests)
        if self._process.poll() is None and not select.select([self._answers], [], [], 0)[0]:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.2)
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._answers)
        self._crash.close()
