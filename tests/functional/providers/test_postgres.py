"""The postgres provider on the facade, against a server that the test starts."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packages import has_distributions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .conftest import Outcome

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
pytestmark = pytest.mark.skipif(
    not has_distributions("apache-airflow-providers-postgres") or not PROGRAMS,
    reason="needs the postgres provider and a PostgreSQL server",
)

SQL = """
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.providers.postgres.hooks.postgres import PostgresHook

with DAG("d", start_date=datetime(2024, 1, 1), schedule=None):
    fill = SQLExecuteQueryOperator(
        task_id="fill", conn_id="db", sql="CREATE TABLE t (d date, n int); INSERT INTO t VALUES ('{{ ds }}', 4)",
        split_statements=True,
    )
    broken = SQLExecuteQueryOperator(task_id="broken", conn_id="db", sql="SELECT * FROM nothing")

    @task
    def read():
        hook = PostgresHook(postgres_conn_id="db")
        hook.insert_rows("t", [("2024-03-02", 5)], target_fields=["d", "n"])
        return hook.get_first("SELECT count(*), sum(n) FROM t")

    fill >> [broken, read()]
"""


def _user() -> dict[str, Any]:
    """Return who runs the server: it refuses to run as root."""
    return {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}


@pytest.fixture
def database() -> Iterator[str]:
    """The URI of an empty database on loopback."""
    home = Path(tempfile.mkdtemp(prefix="orkestra-pg-"))
    if os.getuid() == 0:
        try:
            shutil.chown(home, pwd.getpwnam("postgres").pw_uid)
        except KeyError:
            pytest.skip("needs a user `postgres` when run as root")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    bin_, data = PROGRAMS[-1], home / "data"
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "cwd": home, **_user()}
    subprocess.run(
        [str(bin_ / "initdb"), "-D", str(data), "-A", "trust", "-U", "postgres", "--no-sync"],
        check=True,
        **quiet,
    )
    options = f"-h 127.0.0.1 -p {port} -k {home} -F"
    control = [str(bin_ / "pg_ctl"), "-D", str(data), "-w", "-t", "60"]
    subprocess.run([*control, "-o", options, "-l", str(home / "log"), "start"], check=True, **quiet)
    yield f"postgres://postgres@127.0.0.1:{port}/postgres"
    subprocess.run([*control, "-m", "immediate", "stop"], check=True, **quiet)
    shutil.rmtree(home)


def test_postgres(outcome: Callable[[str], Outcome], database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_DB", database)
    found = outcome(SQL)
    assert found.states == {"fill": "success", "broken": "failed", "read": "success"}
    assert found.values["read"] == [2, 9]
    assert "OB430" not in found.findings
