"""A task that prints, logs and raises its secrets leaves none of them behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commands import bridge

if TYPE_CHECKING:
    from pathlib import Path

DAG = """\
import logging
import sys
from datetime import datetime

from airflow.decorators import dag, task
from airflow.hooks.base import BaseHook
from airflow.models import Variable


@dag(dag_id="leak", schedule=None, start_date=datetime(2024, 1, 1))
def leak():
    @task
    def work():
        connection, token = BaseHook.get_connection("db"), Variable.get("api_token")
        print("printed", connection.password, token)
        print("printed", connection.get_uri(), file=sys.stderr)
        logging.getLogger("mine").warning("logged %s", connection.password)
        try:
            raise ValueError("inner " + connection.password)
        except ValueError as error:
            raise RuntimeError("outer " + token) from error

    work()


leak()
"""
SECRETS = ("hunter2-password", "hunter2%2Dpassword", "token-12345678")


def test_no_file_and_no_line_has_a_secret(tmp_path: Path) -> None:
    (tmp_path / "leak.py").write_text(DAG)
    (tmp_path / ".env").write_text(
        f"AIRFLOW_VAR_API_TOKEN={SECRETS[2]}\nAIRFLOW_CONN_DB=postgres://me:{SECRETS[0]}@h/x\n"
    )
    options = ("--env-file", ".env", "--layers", "skip", "--no-cache", "-o", "out")
    done = bridge("convert", "leak.py", *options, "--run", cwd=tmp_path)
    assert done.code == 1
    assert "RuntimeError: outer ***" in done.out
    (log,) = (tmp_path / "out" / ".runs").glob("*/work.log")
    text = log.read_text()
    assert text.count("***") >= 6
    assert "WARNING mine: logged ***" in text
    written = [path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()]
    for secret in SECRETS:
        assert secret not in done.out + done.err
        assert not any(secret.encode() in content for content in written)
