"""Converts and runs DAGs that use provider packages, as users would: from the file to the outcome of the run."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orkestra_bridge.local.interpreter import VirtualClock
from orkestra_bridge.local.run import RunRequest, run_dag
from orkestra_bridge.options import ConvertOptions
from orkestra_bridge.pipeline import convert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEAD = """
from datetime import datetime
from airflow import DAG
from airflow.decorators import task
"""


@dataclass(frozen=True)
class Outcome:
    """How the tasks ended and what they pushed, by task id."""

    states: dict[str, str]
    tries: dict[str, int]
    values: dict[str, Any]
    requirements: tuple[str, ...]
    findings: tuple[str, ...]


@pytest.fixture
def outcome(tmp_path: Path) -> Callable[..., Outcome]:
    """Return a function that converts one DAG file with the DAG ``d`` and runs what was emitted.

    ``fast`` lets waits take no time.
    """

    def run(source: str, *, fast: bool = False) -> Outcome:
        dags = tmp_path / "dags"
        dags.mkdir()
        (dags / "d.py").write_text(HEAD + source, encoding="utf-8")
        out = tmp_path / "out"
        converted = convert(ConvertOptions(paths=(dags,), out=out, layers="skip", cache=None))
        (dag,) = converted.report.dags
        assert dag.verdict == "translated", [str(finding) for finding in dag.findings]
        request = RunRequest(
            out=out, dag_id="d", python=Path(sys.executable), logical_date="2024-03-01T00:00:00+00:00"
        )
        tasks = run_dag(request, clock=VirtualClock() if fast else None).tasks
        return Outcome(
            states={task_id: task.state for task_id, task in tasks.items()},
            tries={task_id: task.tries for task_id, task in tasks.items()},
            values={task_id: task.xcom.get("return_value") for task_id, task in tasks.items()},
            requirements=dag.requirements,
            findings=tuple(finding.id for finding in dag.findings),
        )

    return run


@pytest.fixture
def http_server() -> Iterator[str]:
    """The address of a server that answers with what it was asked; what is ``third`` is there at the third time."""
    asked: list[str] = []

    class Echo(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_HEAD(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

        def _answer(self, body: bytes) -> None:
            asked.append(self.path)
            early = "third" in self.path and asked.count(self.path) < 3
            self.send_response(
                404 if "missing" in self.path or early else 500 if "broken" in self.path else 200
            )
            self.end_headers()
            self.wfile.write(f"{self.command} {self.path} ".encode() + body)

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
