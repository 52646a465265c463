"""Step Functions' API on loopback, for tasks that start runs of other DAGs or look at them.

Source: AWS Step Functions API reference (StartExecution, DescribeExecution, DescribeStateMachine,
GetExecutionHistory); the protocol is JSON 1.0 over HTTP.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

from orkestra_bridge.naming import execution_name, machine_name

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self

    from orkestra_bridge.local.interpreter import Clock, Event, Execution, Json

RunOther = Callable[[str, Mapping[str, Any], Callable[["Event"], None]], Awaitable["Execution"]]
"""Runs a DAG with a run document, tells its events, and returns how it ended."""


ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:"
STORE = ".executions"
"""Folder below ``OUT/.runs`` with what ended executions leave for later runs to look at."""


@final
@dataclass(slots=True, kw_only=True)
class Record:
    """One execution; ``exits`` are the events with the outputs of its states."""

    machine: str
    name: str
    text: str
    started: float
    execution: Execution | None = None
    exits: list[Json] = field(default_factory=list)

    def hear(self, event: Event) -> None:
        """Take an event of the execution."""
        if event.type.endswith("StateExited"):
            details = {"name": event.name, "output": json.dumps(event.details.get("output"))}
            self.exits.append({"type": event.type, "id": event.id, "stateExitedEventDetails": details})

    def described(self, arn: str) -> dict[str, Json]:
        """Return it as DescribeExecution has it."""
        ended = self.execution
        answer = {
            "executionArn": arn,
            "stateMachineArn": self.machine,
            "name": self.name,
            "status": ended.status if ended else "RUNNING",
            "startDate": self.started,
            "input": self.text,
        }
        if ended and ended.status == "SUCCEEDED":
            answer["output"] = json.dumps(ended.output)
        return answer


class _RefusedError(Exception):
    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@final
class StepFunctions:
    """The executions of a run and of those that its tasks start; an async context manager with an ``address``.

    Leaving it waits for all of them. Executions of earlier runs are known from what `keep` left below ``runs``.
    """

    def __init__(self, dag_ids: Collection[str], clock: Clock, run_other: RunOther, runs: Path) -> None:
        self._dags = {machine_name(dag_id): dag_id for dag_id in dag_ids}
        self._clock = clock
        self._run_other = run_other
        self._runs = runs
        self._records: dict[str, Record] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.address = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        self.address = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        while self._running:
            await asyncio.gather(*self._running)
        if self._server is not None:
            self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def record(self, dag_id: str, document: Mapping[str, Any]) -> Record:
        """Return the record of an execution that is started elsewhere."""
        machine, name = f"{ARN}{machine_name(dag_id)}", execution_name(document["run_id"])
        record = self._new(machine, name, json.dumps(document))
        self._records[_execution(machine, name)] = record
        return record

    def _new(self, machine: str, name: str, text: str) -> Record:
        return Record(machine=machine, name=name, text=text, started=self._clock.now().timestamp())

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._connected(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                writer.write(self._answered(*await _read(reader)))
                await writer.drain()
        writer.close()

    def _answered(self, action: str, body: bytes) -> bytes:
        known = {
            "StartExecution": self._start,
            "DescribeExecution": self._describe,
            "DescribeStateMachine": self._describe_machine,
            "GetExecutionHistory": self._history,
        }
        if action not in known:
            return _written(
                400, {"__type": "InvalidAction", "message": f"{action} is not there on this machine"}
            )
        try:
            return _written(200, known[action](json.loads(body or b"{}")))
        except _RefusedError as refused:
            return _written(400, {"__type": refused.kind, "message": str(refused)})

    def _start(self, given: Mapping[str, Any]) -> Json:
        machine, name, text = given["stateMachineArn"], given["name"], given.get("input", "{}")
        dag_id = self._dag(machine)
        arn = _execution(machine, name)
        if arn in self._records:
            raise _RefusedError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        record = self._new(machine, name, text)
        self._records[arn] = record
        task = asyncio.ensure_future(self._run(record, dag_id))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return {"executionArn": arn, "startDate": record.started}

    async def _run(self, record: Record, dag_id: str) -> None:
        record.execution = await self._run_other(dag_id, json.loads(record.text), record.hear)

    def _describe(self, given: Mapping[str, Any]) -> Json:
        arn = given["executionArn"]
        if arn in self._records:
            return self._records[arn].described(arn)
        return self._kept(arn)["described"]

    def _describe_machine(self, given: Mapping[str, Any]) -> Json:
        machine = given["stateMachineArn"]
        self._dag(machine)
        name = machine.rpartition(":")[2]
        return {
            "stateMachineArn": machine,
            "name": name,
            "definition": "{}",
            "roleArn": "arn:aws:iam::123456789012:role/local",
            "type": "STANDARD",
            "creationDate": 0,
        }

    def _history(self, given: Mapping[str, Any]) -> Json:
        arn = given["executionArn"]
        record = self._records.get(arn)
        exits = record.exits if record else self._kept(arn)["exits"]
        return {"events": [{**event, "timestamp": 0} for event in exits]}

    def _kept(self, arn: str) -> dict[str, Json]:
        """Return what an execution of an earlier run left."""
        try:
            document: dict[str, Json] = json.loads(_file(self._runs, arn).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self._could_exist(arn)
            raise _RefusedError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'") from None
        return document

    def _could_exist(self, arn: str) -> None:
        """Refuse to look for executions that nothing here can start: a sensor would look for days, in virtual time."""
        name = arn.split(":")[-2]
        if name not in self._dags:
            message = (
                f"the state machine {name!r} is not in OUT, so none of its runs can be seen on this machine: "
                "convert its DAG together with this one, and run it first"
            )
            raise _RefusedError("StateMachineDoesNotExist", message)

    def _dag(self, machine: str) -> str:
        name = machine.rpartition(":")[2]
        if name not in self._dags:
            raise _RefusedError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{machine}'")
        return self._dags[name]


def keep(runs: Path, dag_id: str, document: Mapping[str, Any], execution: Execution, states: Json) -> None:
    """Leave how an execution ended for the runs to come, below ``OUT/.runs``; ``states`` are the ledger's entries."""
    record = Record(
        machine=f"{ARN}{machine_name(dag_id)}",
        name=execution_name(document["run_id"]),
        text=json.dumps(document),
        started=0,
        execution=execution,
    )
    arn = _execution(record.machine, record.name)
    exits = [{"type": "PassStateExited", "id": 1, "stateExitedEventDetails": {"output": json.dumps(states)}}]
    path = _file(runs, arn)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"described": record.described(arn), "exits": exits}), encoding="utf-8")


def _file(runs: Path, arn: str) -> Path:
    return runs / STORE / f"{'.'.join(arn.split(':')[-2:])}.json"


def _execution(machine: str, name: str) -> str:
    return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"


async def _read(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """Return the action and the body of a request."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])
    }
    body = await reader.readexactly(int(headers.get("content-length") or 0))
    return headers.get("x-amz-target", "").rpartition(".")[2], body


def _written(status: int, document: Json) -> bytes:
    body = json.dumps(document).encode()
    reason = "OK" if status == 200 else "Bad Request"
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode("latin-1") + body
