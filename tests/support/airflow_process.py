"""An Airflow to compare with: a process that stays, for Airflow is slow to start."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ORACLE = Path(__file__).with_name("airflow_oracle.py")
PATIENCE = "600"
"""Seconds of real time that Airflow may take for a DAG: other tests run beside it."""

Outcomes = dict[str, dict[str, Any]]


@final
class Airflow:
    """Runs DAGs in a process of its own, on an empty database for each request.

    Attributes:
        python: Its interpreter.
        major: Its major version.
    """

    def __init__(self, python: Path, major: int, scratch: Path) -> None:
        """Keep the empty database in ``scratch``, where the processes of other workers find it as well."""
        self.python = python
        self.major = major
        self._scratch = scratch
        self._process: subprocess.Popen[str] | None = None
        self._home: tempfile.TemporaryDirectory[str] | None = None
        self._count = 0

    @contextmanager
    def runs(
        self,
        files: Sequence[Path],
        *options: str,
        environment: Mapping[str, str] | None = None,
        errors_too: bool = False,
    ) -> Iterator[Callable[[], Outcomes]]:
        """Let Airflow run the DAGs of files while the caller has something else to do.

        Yields a function that waits for it and returns the outcomes by dag_id; it raises AssertionError if a file or a
        DAG has none, or with ``errors_too`` returns those of DAGs with a key ``error``.
        """
        self._scratch.mkdir(parents=True, exist_ok=True)
        process = self._process = self._running()
        self._count += 1
        out = self._scratch / f"outcomes-{process.pid}-{self._count}"
        database = self._scratch / f"airflow{self.major}.db"
        given = ["--environment", json.dumps(dict(environment or {})), "--database", str(database)]
        request = [*map(str, files), *given, "--timeout", PATIENCE, "--out", str(out), *options]
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        answers: list[str] = []

        def outcomes() -> Outcomes:
            answers.append(process.stdout.readline())  # type: ignore[union-attr]
            assert answers == ["done\n"], "Airflow has ended"
            records = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
            problems = [record for record in records if "error" in record]
            assert not problems or (errors_too and all("dag_id" in each for each in problems)), problems
            return {record["dag_id"]: record for record in records}

        try:
            yield outcomes
        finally:
            if not answers:
                self.close()  # it is busy with what nobody waits for

    def close(self) -> None:
        """End the process; the next request starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()
        if self._home is not None:
            self._home.cleanup()

    def _running(self) -> subprocess.Popen[str]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        # SQLite waits for the disk where there is no shared memory
        shared_memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self._home = tempfile.TemporaryDirectory(prefix="airflow-", dir=shared_memory)
        return subprocess.Popen(
            [str(self.python), str(ORACLE), "--serve", self._home.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
        )
