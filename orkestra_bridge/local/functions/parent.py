"""The process that workers are forked from, as seen from here."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orkestra_bridge import packaging
from orkestra_bridge.errors import LocalRunError

if TYPE_CHECKING:
    from orkestra_bridge.local.functions.model import FunctionSpec

ISOLATION = Path(packaging.__file__).with_name("isolation.py")
WORKER = Path(__file__).with_name("worker.py")
PATIENCE = 5.0
"""Seconds that the process has to end by itself when its stdin is closed."""

Exited = Callable[[int, int], None]
"""Told the process id and the exit code, or minus the signal."""


class WorkerParent:
    """Forks workers on request and reports when one has ended."""

    def __init__(self, spec: FunctionSpec, on_exit: Exited) -> None:
        self._spec = spec
        self._on_exit = on_exit
        self._process: Process | None = None
        self._listener: asyncio.Task[None] | None = None
        self._starts: dict[int, asyncio.Future[int]] = {}
        self._alive: set[int] = set()

    async def open(self) -> None:
        """Start the process; raises LocalRunError if the interpreter cannot be started."""
        spec = self._spec
        config = {
            "task_root": str(spec.task_root),
            "site_packages": [str(folder) for folder in spec.site_packages],
            "modules": list(spec.modules),
            "distributions": list(spec.distributions),
            "run": f"{WORKER}:serve",
            "args": [
                {
                    "handler": spec.handler,
                    "preload": list(spec.preload),
                    "preload_path": [str(folder) for folder in spec.preload_path],
                    "keeps_bytecode": spec.keeps_bytecode,
                }
            ],
        }
        command = [str(spec.python), "-I", "-S", str(ISOLATION), json.dumps(config)]
        environment = {key: os.environ[key] for key in ("PATH", "LD_LIBRARY_PATH") if key in os.environ}
        try:
            self._process = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, cwd=spec.task_root, env=environment, start_new_session=True
            )
        except OSError as problem:
            message = f"the Python for the workers cannot be started: {problem}"
            raise LocalRunError(message, remedy="name another interpreter with --python") from problem
        self._listener = asyncio.ensure_future(self._listen(self._process))

    async def start(self, number: int, api: str, environment: Mapping[str, str]) -> int:
        """Fork a worker and return its process id; raises LocalRunError if the parent has ended."""
        process = self._process
        if process is None or process.stdin is None or process.returncode is not None:
            raise LocalRunError(
                "the process that workers are forked from has ended", remedy="see its output above"
            )
        self._starts[number] = asyncio.get_running_loop().create_future()
        command = {"start": number, "api": api, "environment": dict(environment)}
        process.stdin.write(json.dumps(command).encode() + b"\n")
        return await self._starts[number]

    def kill(self, pid: int) -> None:
        """Kill a worker and all that it has started; one that has ended is left alone."""
        if pid not in self._alive:
            return
        # The group does not exist yet in the first moment after the fork.
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(pid, signal.SIGKILL)

    async def close(self) -> None:
        """End the process, which kills its workers."""
        if self._process is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), PATIENCE)
        except asyncio.TimeoutError:
            self._process.kill()
            await self._process.wait()
        if self._listener is not None:
            await self._listener

    async def _listen(self, process: Process) -> None:
        stream = process.stdout
        while stream is not None and (line := await stream.readline()):
            self._heard(json.loads(line))
        gone = LocalRunError(
            "the process that workers are forked from has ended", remedy="see its output above"
        )
        for start in self._starts.values():
            if not start.done():
                start.set_exception(gone)
        for pid in list(self._alive):
            self._heard({"exited": pid, "status": 1})

    def _heard(self, message: Mapping[str, Any]) -> None:
        if "started" in message:
            self._alive.add(message["pid"])
            start = self._starts.pop(message["started"])
            if not start.done():  # the pool may have been closed while it waited
                start.set_result(message["pid"])
        else:
            self._alive.discard(message["exited"])
            self._on_exit(message["exited"], message["status"])
