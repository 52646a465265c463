"""The process that loads packages, seen from this side: started once, asked often, never trusted to end."""

from __future__ import annotations

import json
import os
import posixpath
import shutil
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from orkestra_bridge.packaging import isolation
from orkestra_bridge.packaging.archive import shared_entries, shared_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orkestra_bridge.frontend.model import DagFile, Environment
    from orkestra_bridge.packaging.model import Entry, LambdaPackage

WORKER = Path(__file__).with_name("preflight_worker.py")
PROGRAMS = (WORKER, Path(isolation.__file__))

OLDEST_PYTHON = (3, 10)
"""The oldest Python that can run the runtime."""

GRACE = 5.0
"""Seconds that the process gets to end what it started before it is killed."""

_STAYS = 1_000_000
"""Bytes of a package up to which its files are removed with all others: ext4 looks through what was just removed
whenever it makes a file."""

PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
AIRFLOW_PREFIXES = ("AIRFLOW_VAR_", "AIRFLOW_CONN_")


def airflow_variables() -> dict[str, str]:
    """Return the Variables and connections that the environment holds."""
    return {name: value for name, value in os.environ.items() if name.startswith(AIRFLOW_PREFIXES)}


class PreflightProcess:
    """One warm process; a new one replaces it if it ends. Used by one thread, `kill` by any."""

    def __init__(
        self, environment: Environment, cache: Path | None, values: Mapping[str, str] | None = None
    ) -> None:
        self._values = values or {}
        self._environment = environment
        self._cache = cache
        self.scratch: Path | None = None
        self._process: subprocess.Popen[str] | None = None
        self._count = 0

    def settings(self) -> dict[str, str]:
        """Return the environment variables that are the user's own: the project's, and Airflow's of the caller."""
        own = {name: value for name, value in self._values.items() if not name.startswith("AIRFLOW__")}
        return {**airflow_variables(), **own}

    def warm(self) -> None:
        """Start the process if it is not there; where that fails, `ask` will say so."""
        with suppress(OSError):
            if self._process is None and self._can_run():
                self._start()

    def _can_run(self) -> bool:
        parts = self._environment.python_version.split(".")[:2]
        return tuple(int(part) for part in parts) >= OLDEST_PYTHON

    def ask(self, file: DagFile, package: LambdaPackage, timeout: float) -> dict[str, Any]:
        """Return the worker's answer about a package (its shape is in `preflight_worker.py`).

        ``timeout`` is in seconds.

        Where it cannot be asked: ``{"status": "unchecked", "reason": ...}``.
        """
        if not self._can_run():
            version = self._environment.python_version
            return {"status": "unchecked", "reason": f"the runtime needs a later Python than {version}"}
        reason = "the process that loads packages ended"
        try:
            answer = self._exchange({**self._request(file, package), "timeout": timeout})
        except OSError as error:
            answer, reason = None, str(error.strerror or reason)
        if answer is None or not hasattr(os, "fork"):
            self._stop()
        return answer or {"status": "unchecked", "reason": reason}

    def kill(self) -> None:
        """End the process at once; whoever waits for its answer gets none."""
        if self._process:
            self._process.terminate()

    def close(self) -> None:
        """End the process and remove its files."""
        self._stop()
        if self.scratch:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def _request(self, file: DagFile, package: LambdaPackage) -> dict[str, Any]:
        self._count += 1
        root = self._folder() / str(self._count)
        _unpack(package.entries, root)
        return {
            "root": str(root),
            "dags": str(file.base),
            "modules": sorted({name for item in package.requirements for name in item.modules}),
            "distributions": sorted(item.name for item in package.requirements),
            "remove": sum(len(entry.data) for entry in package.entries) > _STAYS,
        }

    def _exchange(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """Send one request and wait for its answer; None if the process ended instead."""
        process = self._process or self._start()
        watchdog = threading.Timer(2 * request["timeout"] + 30, process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            _open(process.stdin).write(json.dumps(request) + "\n")
            _open(process.stdin).flush()
            line = _open(process.stdout).readline()
        finally:
            watchdog.cancel()
        answer: dict[str, Any] | None = json.loads(line) if line else None
        return answer

    def _start(self) -> subprocess.Popen[str]:
        base = str(self._base())
        folders = [str(folder) for folder in self._environment.site_packages]
        config = {
            "task_root": base,
            "site_packages": folders,
            "run": f"{WORKER}:serve",
            "args": [base, folders, self._environment.airflow_version],
        }
        self._process = subprocess.Popen(
            [str(self._environment.python), "-I", "-S", str(isolation.__file__), json.dumps(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self._variables(),
            cwd=base,
            encoding="utf-8",
        )
        return self._process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(BrokenPipeError):
                _open(pipe).close()

    def _variables(self) -> dict[str, str]:
        """Return the environment of a function: nothing of this machine but Airflow's variables."""
        return {
            **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
            **self.settings(),
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_LAMBDA_FUNCTION_NAME": "preflight",
            "AWS_REGION": "us-east-1",
            "HOME": str(self._folder()),
            "LANG": "en_US.UTF-8",
            "TZ": "UTC",
        }

    def _folder(self) -> Path:
        if self.scratch is None:
            self.scratch = Path(tempfile.mkdtemp(prefix="orkestra-bridge-")).resolve()
        return self.scratch

    def _base(self) -> Path:
        """Return a folder with the runtime as packages hold it; in the cache it is compiled only once."""
        home = self._cache or self._folder()
        base = home / f"runtime-{shared_hash()[:16]}"
        if base.is_dir():
            return base
        home.mkdir(parents=True, exist_ok=True)
        growing = Path(tempfile.mkdtemp(prefix=".runtime-", dir=home))
        _unpack(shared_entries(), growing)
        try:
            growing.rename(base)
        except OSError:  # another conversion was first
            shutil.rmtree(growing, ignore_errors=True)
        return base


def _unpack(entries: Iterable[Entry], root: Path) -> None:
    """Write files below a folder; their modes do not matter to who loads them."""
    made = set()
    for entry in entries:
        path = f"{root}/{entry.path}"
        folder = posixpath.dirname(path)
        if folder not in made:
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - it looks before it leaps, so it asks for less
            made.add(folder)
        with open(path, "wb") as stream:  # noqa: PTH123 - some hundred times
            stream.write(entry.data)


def _open(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise BrokenPipeError("the process has no pipe")
    return pipe
