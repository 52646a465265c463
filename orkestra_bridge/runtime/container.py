"""The entry point of a container: runs one task as the Lambda handler would, and answers for its task token.

Its environment has what the state machine knows: ``ORKESTRA_TASK_TOKEN``, ``ORKESTRA_EVENT`` and ``ORKESTRA_ATTEMPT``.
Heartbeats go out from the beginning to the end; one that tells that nobody waits any more ends the task. On AWS all goes
through Step Functions' API; where ``ORKESTRA_ANSWERS`` is set, answers are lines of JSON to that file descriptor.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any, Protocol

from orkestra_bridge.runtime import handler, logs
from orkestra_bridge.runtime.errors import Terminated
from orkestra_bridge.runtime.handover import ATTEMPT, CAUSE_LIMIT, EVENT, TOKEN, unpack

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from types import FrameType

log = logging.getLogger("orkestra_bridge.container")

ANSWERS = "ORKESTRA_ANSWERS"
INTERVAL = "ORKESTRA_HEARTBEAT"
NOW = "ORKESTRA_NOW"
"""The execution's time when the container starts, in milliseconds, where it is not the real one."""
BEAT = 60.0
"""Seconds between two heartbeats, a fifth of what the state machine waits for one."""
GRACE = 30.0
"""Seconds between ECS's two signals (developer guide, `stopTimeout`)."""

# API reference of SendTaskFailure.
ERROR_LIMIT = 256
_TRACE_LIMIT = 20_000


class NobodyWaitsError(Exception):
    """The state machine no longer waits for this task."""


class Answers(Protocol):
    """Where answers for a task token go."""

    def send(self, action: str, **values: str) -> None:
        """Answer; raises NobodyWaitsError if the token is no longer valid."""
        ...


class _StepFunctions:
    """Step Functions' API, with the credentials of the task's role."""

    def __init__(self, token: str) -> None:
        import boto3

        self._token = token
        self._client: Any = boto3.client("stepfunctions", config=_patient())

    def send(self, action: str, **values: str) -> None:
        gone = (
            self._client.exceptions.TaskTimedOut,
            self._client.exceptions.TaskDoesNotExist,
            self._client.exceptions.InvalidToken,
        )
        try:
            getattr(self._client, action)(taskToken=self._token, **values)
        except gone as error:
            raise NobodyWaitsError(str(error)) from error


def _patient() -> Any:
    from botocore.config import Config

    return Config(retries={"mode": "standard", "max_attempts": 8})


class _Lines:
    """A file descriptor that a runner on the same machine reads."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def send(self, action: str, **values: str) -> None:
        line = json.dumps({"action": action, **values}).encode() + b"\n"
        try:
            with self._lock, os.fdopen(os.dup(self._descriptor), "wb") as answers:
                answers.write(line)
        except BrokenPipeError as error:
            raise NobodyWaitsError(str(error)) from error


def main() -> int:
    """Run the task that the environment names; return 0 if it was answered with a ledger entry, else 1."""
    logs.configure()
    environment = os.environ
    answers = _answers(environment)
    beats = _Heartbeats(answers, float(environment.pop(INTERVAL, BEAT)))
    signal.signal(signal.SIGTERM, _terminate)
    with beats:
        return _answered(answers, environment)


def _answers(environment: MutableMapping[str, str]) -> Answers:
    token = environment.pop(TOKEN)
    if ANSWERS in environment:
        return _Lines(int(environment.pop(ANSWERS)))
    return _StepFunctions(token)


def _answered(answers: Answers, environment: MutableMapping[str, str]) -> int:
    try:
        output = json.dumps(handler.handle(_event(environment)), separators=(",", ":"), allow_nan=False)
    except BaseException as error:
        log.exception("The task failed")
        return _sent(answers, "send_task_failure", 1, **failure(error))
    return _sent(answers, "send_task_success", 0, output=output)


def _event(environment: MutableMapping[str, str]) -> dict[str, Any]:
    event = {**unpack(environment.pop(EVENT)), "attempt": int(environment.pop(ATTEMPT, "0"))}
    if NOW in environment:
        event["now"] = int(environment.pop(NOW))
    return event


def _sent(answers: Answers, action: str, code: int, **values: str) -> int:
    try:
        answers.send(action, **values)
    except NobodyWaitsError as error:
        log.warning("The answer came too late: %s", error)
        return 1
    return code


def failure(error: BaseException) -> dict[str, str]:
    """Return error and cause as if the task had failed in Lambda: a document with message, type and trace."""
    frames = traceback.format_list(traceback.extract_tb(error.__traceback__))
    while sum(map(len, frames)) > _TRACE_LIMIT:
        frames.pop(0)
    name = type(error).__name__[:ERROR_LIMIT]
    document = {"errorMessage": str(error), "errorType": name, "stackTrace": frames}
    return {"error": name, "cause": json.dumps(document)[:CAUSE_LIMIT]}


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Terminated("Task received SIGTERM signal")


class _Heartbeats:
    """Sends heartbeats in a thread for the length of a ``with`` block."""

    def __init__(self, answers: Answers, interval: float) -> None:
        self._answers = answers
        self._interval = interval
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeats", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _stop(self) -> None:
        """End the process as ECS would: ask it first, for a task may have something to end as well."""
        os.kill(os.getpid(), signal.SIGTERM)
        if not self._over.wait(GRACE):
            os._exit(128 + signal.SIGKILL)

    def _beat(self) -> None:
        while True:
            try:
                self._answers.send("send_task_heartbeat")
            except NobodyWaitsError as error:
                log.warning("Nobody waits for this task any more: %s", error)
                self._stop()
                return
            except Exception:
                log.exception("A heartbeat could not be sent")
            if self._over.wait(self._interval):
                return


if __name__ == "__main__":
    sys.exit(main())
