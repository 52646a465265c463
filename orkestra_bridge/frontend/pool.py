"""Runs files through worker processes, and outlives those that hang or crash."""

from __future__ import annotations

import select
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orkestra_bridge.errors import EnvironmentSetupError
from orkestra_bridge.frontend.process import WorkerDied, WorkerProcess

if TYPE_CHECKING:
    from pathlib import Path

    from orkestra_bridge.frontend.model import DagFile, Environment
    from orkestra_bridge.project.surroundings import Surroundings

Answer = Mapping[str, Any]
# Requests that a worker has in hand, so that it never waits for us.
_AHEAD = 8
# Seconds after the worker's own alarm until it is taken to hang where no alarm can reach.
_GRACE = 2.0
# Workers that may be lost while no file is being loaded, before that counts as the environment's fault.
_IDLE_DEATHS = 3


class _Slot:
    """A place for one worker: the requests it has and the one it is at."""

    def __init__(self) -> None:
        self.process: WorkerProcess | None = None
        self.in_hand: deque[int] = deque()
        self.current: int | None = None
        self.deadline = float("inf")


class WorkerPool:
    """Worker processes that are started when they are needed and replaced when they are lost."""

    def __init__(
        self,
        environment: Environment,
        home: Path,
        *,
        timeout: float,
        size: int,
        surroundings: Surroundings | None = None,
    ) -> None:
        self._environment = environment
        self._surroundings = surroundings
        self._home = home
        self._timeout = timeout
        self._slots = [_Slot() for _ in range(size)]
        self._serial = 0
        self._idle_deaths = 0
        self._files: dict[int, DagFile] = {}
        self._waiting: deque[int] = deque()
        self._answers: dict[int, Answer] = {}

    def start(self) -> None:
        """Start one worker unless there is one."""
        self._process(self._slots[0])

    @property
    def started(self) -> bool:
        """Return True if a worker is running."""
        return any(slot.process is not None for slot in self._slots)

    def close(self) -> None:
        """End all workers."""
        for slot in self._slots:
            self._drop(slot)

    def run(self, files: Sequence[DagFile]) -> Iterator[Answer]:
        """Yield the answer for each file, in order; files are loaded ahead of the one that is asked for."""
        self._waiting.clear()
        self._files.clear()
        self._answers.clear()
        numbers = []
        for file in files:
            self._serial += 1
            self._files[self._serial] = file
            numbers.append(self._serial)
        self._waiting.extend(numbers)
        for number in numbers:
            while number not in self._answers:
                self._step()
            del self._files[number]
            yield self._answers.pop(number)

    def _process(self, slot: _Slot) -> WorkerProcess:
        if slot.process is None:
            slot.process = WorkerProcess(self._environment, self._home, self._surroundings)
        return slot.process

    def _step(self) -> None:
        """Hand out work, wait for something to happen, and deal with it."""
        for slot in self._slots:
            self._feed(slot)
        busy = {
            slot.process.fileno(): slot for slot in self._slots if slot.process is not None and slot.in_hand
        }
        wait = min((slot.deadline for slot in busy.values()), default=0.0) - time.monotonic()
        readable, _, _ = select.select(list(busy), [], [], None if wait == float("inf") else max(0.0, wait))
        for number in readable:
            self._read(busy[number])
        if not readable:
            for slot in busy.values():
                if time.monotonic() >= slot.deadline:
                    self._hangs(slot)

    def _feed(self, slot: _Slot) -> None:
        while self._waiting and len(slot.in_hand) < _AHEAD:
            number = self._waiting.popleft()
            slot.in_hand.append(number)
            try:
                self._process(slot).send(number, self._files[number], self._timeout)
            except WorkerDied:
                return  # its end is seen when it is read

    def _read(self, slot: _Slot) -> None:
        try:
            messages = self._process(slot).receive()
        except WorkerDied:
            self._crashed(slot)
            return
        for message in messages:
            if "begin" in message:
                slot.current = message["begin"]
                slot.deadline = time.monotonic() + self._timeout + _GRACE
            elif "internal" in message:
                self._settle(slot, message["id"], self._internal(message))
            else:
                self._settle(slot, message["id"], message)
                if message.get("timed_out"):
                    self._replace(slot)  # what it was busy with may still go on in a thread
                    return

    def _settle(self, slot: _Slot, number: int, answer: Answer) -> None:
        slot.current = None
        slot.deadline = float("inf")
        if number in slot.in_hand:
            slot.in_hand.remove(number)
        if number in self._files:  # else: a run that was given up
            self._answers[number] = answer

    def _internal(self, message: Answer) -> Answer:
        file = self._files.get(message["id"])
        place = {"file": file.relative if file else "", "line": 0}
        return _failure({"kind": "internal", "text": message["internal"], **place})

    def _hangs(self, slot: _Slot) -> None:
        process, number = self._process(slot), slot.current
        if number is not None:
            process.interrupt()
            self._blame(slot, number, {"kind": "timeout", "limit": self._timeout})
        self._replace(slot)

    def _crashed(self, slot: _Slot) -> None:
        process, number = self._process(slot), slot.current
        if not process.ready:
            raise EnvironmentSetupError(
                f"the worker of {self._environment.python} does not start: {process.startup_error()}",
                remedy="check that this Python can `import airflow`",
            )
        if number is not None:
            self._blame(slot, number, {"kind": "crash", "text": process.ending()})
        else:
            self._idle_deaths += 1
            if self._idle_deaths > _IDLE_DEATHS:
                raise EnvironmentSetupError(
                    f"the worker of {self._environment.python} ends {process.ending()} between files",
                    remedy="check that nothing kills this Python, such as a limit on memory",
                )
        self._replace(slot)

    def _blame(self, slot: _Slot, number: int, problem: dict[str, Any]) -> None:
        """Give a file the answer that it cost the worker its life."""
        file = self._files.get(number)
        if file is not None:
            name, line = self._process(slot).where(file) or (file.relative, 0)
            self._settle(slot, number, _failure({**problem, "file": name, "line": line}))

    def _replace(self, slot: _Slot) -> None:
        """End a worker; what it had in hand goes to the next one."""
        self._waiting.extendleft(reversed([number for number in slot.in_hand if number in self._files]))
        self._drop(slot)

    def _drop(self, slot: _Slot) -> None:
        process, slot.process = slot.process, None
        slot.in_hand.clear()
        slot.current = None
        slot.deadline = float("inf")
        if process is not None:
            process.close()


def _failure(problem: dict[str, Any]) -> Answer:
    """Return the answer for a file that the worker could not give; it is not kept."""
    return {
        "dags": [],
        "problems": [problem],
        "variables": [],
        "connections": [],
        "inputs": {"repeatable": False},
        "lacking": [],
        "made_up": [],
        "timed_out": False,
    }
