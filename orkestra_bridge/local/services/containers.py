"""ECS for containers that are built from a package: each is a process of its own, started from the built context.

What the process answers for its task token goes to the interpreter; one that ends without an answer has failed, as ECS's
own event would say. The process is started with the imports of the package alone, like the workers of the function.

Source: API reference of RunTask; Amazon ECS developer guide, "Amazon ECS task state change events".
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from orkestra_bridge import packaging
from orkestra_bridge.errors import LocalRunError
from orkestra_bridge.local.functions.environment import MACHINE
from orkestra_bridge.local.interpreter import Clock, Json, StatesError, TaskCall
from orkestra_bridge.local.ledger import instance_name
from orkestra_bridge.runtime.container import ANSWERS, INTERVAL, NOW
from orkestra_bridge.runtime.handover import ATTEMPT, EVENT, TOKEN, unpack
from orkestra_bridge.runtime.stopped import failure_of

if TYPE_CHECKING:
    from asyncio.subprocess import Process

RUN_TASK = "arn:aws:states:::ecs:runTask.waitForTaskToken"
ENTRY_POINT = "orkestra_bridge.runtime.container"
AT_ONCE = 16
"""Containers at the same time; further ones wait, which costs them no time limit."""
_SDK = "arn:aws:states:::aws-sdk:sfn:"
_RESOURCES = {
    "send_task_success": f"{_SDK}sendTaskSuccess",
    "send_task_failure": f"{_SDK}sendTaskFailure",
    "send_task_heartbeat": f"{_SDK}sendTaskHeartbeat",
}
_BEAT = 1.0
"""Seconds between two heartbeats: by them a container learns that nobody waits for it any more."""
_WITH_AIRFLOW = f"import sys; sys.path[:0] = sys.argv[1:]; from {ENTRY_POINT} import main; sys.exit(main())"
"""In the image, all that is installed may be imported, and the package comes first; after it what uv adds for a task."""
ISOLATION = Path(packaging.__file__).with_name("isolation.py")

LogOf = Callable[[str, int], "Path | None"]
"""Name of the task instance and attempt, counted from 0 -> the file that the output is added to."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """What containers are started from.

    Attributes:
        root: The unpacked package of the build context, ``/app`` in the image.
        python: The interpreter.
        site_packages: Folders in which the modules listed in ``modules`` may be found, and no others.
        environment: The variables of the task definition.
        airflow: The interpreter that has Airflow, for the tasks that it runs itself.
        in_airflow: Their ids.
        of_tasks: What those are started from that have packages of their own, by task id.
    """

    root: Path
    python: Path
    site_packages: tuple[Path, ...] = ()
    modules: tuple[str, ...] = ()
    distributions: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    airflow: Path | None = None
    in_airflow: frozenset[str] = frozenset()
    of_tasks: Mapping[str, ContainerSpec] = field(default_factory=dict)

    def command(self, task_id: str) -> list[str]:
        """Return what the container of a task runs."""
        own = self.of_tasks.get(task_id, self)
        if task_id in self.in_airflow and self.airflow is not None:
            added = [str(folder) for folder in own.site_packages if folder not in self.site_packages]
            return [str(self.airflow), "-I", "-c", _WITH_AIRFLOW, str(self.root), *added]
        config = {
            "task_root": str(self.root),
            "site_packages": [str(folder) for folder in own.site_packages],
            "modules": list(own.modules),
            "distributions": list(own.distributions),
            "run": f"{ENTRY_POINT}:main",
        }
        return [str(self.python), "-I", "-S", str(ISOLATION), json.dumps(config)]


@final
class Containers:
    """Answers `runTask` with processes; an async context manager that leaves none behind."""

    def __init__(self, spec: ContainerSpec, clock: Clock, log_of: LogOf) -> None:
        self._spec = spec
        self._clock = clock
        self._log_of = log_of
        self._running: set[asyncio.Task[None]] = set()
        self._room: asyncio.Semaphore | None = None

    async def __aenter__(self) -> Containers:
        self._room = asyncio.Semaphore(AT_ONCE)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def __call__(self, call: TaskCall) -> Json:
        """Start a container and return the response of RunTask.

        Raises LocalRunError: the interpreter cannot be started.
        """
        assert self._room is not None, "used outside of its with block"
        with call.waiting(), self._clock.working():
            await self._room.acquire()
        variables = _variables(call.arguments)
        started = asyncio.get_running_loop().create_future()
        task = asyncio.ensure_future(self._container(call, variables, started))
        self._running.add(task)
        task.add_done_callback(self._gone)
        return await started

    def _gone(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        assert self._room is not None
        self._room.release()

    async def _container(
        self, call: TaskCall, variables: Mapping[str, str], started: asyncio.Future[Json]
    ) -> None:
        reader, writer = os.pipe()
        with self._clock.working():
            try:
                process = await self._start(variables, writer)
            except OSError as problem:
                os.close(reader)
                message = f"the Python for containers cannot be started: {problem}"
                started.set_exception(LocalRunError(message, remedy="name another interpreter with --python"))
                return
            finally:
                os.close(writer)
            arn = f"arn:aws:ecs:us-east-1:123456789012:task/local/{process.pid:032x}"
            started.set_result({"Tasks": [{"TaskArn": arn}], "Failures": []})
            try:
                await self._until_ended(_Waiting(call, variables[TOKEN]), process, reader)
            finally:
                _kill(process)
                await process.wait()

    async def _start(self, variables: Mapping[str, str], answers: int) -> Process:
        event = unpack(variables[EVENT], self._spec.environment)
        name = instance_name(event["task_id"], int(event.get("map_index", -1)))
        log = self._log_of(name, int(variables[ATTEMPT]))
        environment = {
            **{name: os.environ[name] for name in MACHINE if name in os.environ},
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            **self._spec.environment,
            **variables,
            ANSWERS: str(answers),
            INTERVAL: str(_BEAT),
            NOW: str(int(self._clock.now().timestamp() * 1000)),
        }
        with contextlib.ExitStack() as stack:
            output = stack.enter_context((log or Path(os.devnull)).open("ab"))
            return await asyncio.create_subprocess_exec(
                *self._spec.command(event["task_id"]),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._spec.root,
                env=environment,
                pass_fds=(answers,),
                start_new_session=True,
            )

    async def _until_ended(self, waiting: _Waiting, process: Process, answers: int) -> None:
        stream = asyncio.StreamReader(limit=2**20)
        loop = asyncio.get_running_loop()
        pipe, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(answers, "rb")
        )
        try:
            while line := await stream.readline():
                if not waiting.hear(json.loads(line)):
                    return
            waiting.stopped(await process.wait())
        finally:
            pipe.close()


@final
class _Waiting:
    """The state that waits for a container."""

    def __init__(self, call: TaskCall, token: str) -> None:
        self._call = call
        self._token = token

    def hear(self, message: Mapping[str, Any]) -> bool:
        """Hand an answer on; return False if nobody waits for one any more."""
        values = {name.capitalize(): value for name, value in message.items() if name != "action"}
        return self._answer(_RESOURCES[message["action"]], values)

    def stopped(self, code: int) -> None:
        """Let the task fail unless it has been answered."""
        exit_code = code if code >= 0 else 128 - code
        detail = {
            "stoppedReason": "Essential container in task exited",
            "containers": [{"exitCode": exit_code}],
        }
        failure = failure_of(detail)
        self._answer(_RESOURCES["send_task_failure"], {"Error": failure["error"], "Cause": failure["cause"]})

    def _answer(self, resource: str, values: Mapping[str, str]) -> bool:
        assert self._call.answering is not None
        try:
            self._call.answering(resource, {"TaskToken": self._token, **values})
        except StatesError:
            return False
        return True


def _variables(arguments: Mapping[str, Json]) -> dict[str, str]:
    [override] = arguments["Overrides"]["ContainerOverrides"]
    return {pair["Name"]: pair["Value"] for pair in override["Environment"]}


def _kill(process: Process) -> None:
    """Kill what is left of a container: the process and all that it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
