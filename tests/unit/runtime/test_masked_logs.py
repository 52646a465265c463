"""What tasks log, print and raise, in both formats and without secrets."""

from __future__ import annotations

import json
import logging
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from orkestra_bridge.runtime import logs
from orkestra_bridge.runtime.failure import PUSHED_BEFORE_FAILURE
from orkestra_bridge.runtime.masking import MASKER, Masker, is_sensitive

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "s3cr3t-value"


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    MASKER.clear()
    yield
    MASKER.clear()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_json_lines_say_which_task_instance_they_are_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(logs.FORMAT_VARIABLE, "json")
    MASKER.add(SECRET)
    logs.configure()
    with logs.task_output():
        logs.about(dag_id="d", run_id="r", task_id="t", map_index=2, try_number=1)
        logging.getLogger("mine").info("the key is %s", SECRET)
        print("first", SECRET)  # noqa: T201
        print("no newline", end="")  # noqa: T201
        print("trouble", file=sys.stderr)  # noqa: T201
        try:
            raise ValueError(SECRET)  # noqa: TRY301
        except ValueError:
            logging.getLogger("mine").exception("it failed")
    logging.getLogger("mine").info("outside")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    about = {"dag_id": "d", "run_id": "r", "task_id": "t", "map_index": 2, "try_number": 1}
    assert all(line.items() >= about.items() for line in lines[:-1])
    assert "dag_id" not in lines[-1]
    assert [(line["level"], line["logger"], line["message"]) for line in lines] == [
        ("INFO", "mine", "the key is ***"),
        ("INFO", "task.stdout", "first ***"),
        ("ERROR", "task.stderr", "trouble"),
        ("ERROR", "mine", "it failed"),
        ("INFO", "task.stdout", "no newline"),
        ("INFO", "mine", "outside"),
    ]
    assert "ValueError: ***" in lines[3]["exception"]
    assert SECRET not in json.dumps(lines)


def test_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    MASKER.add(f"{SECRET}\nsecond line")
    logs.configure()
    with logs.task_output():
        logging.getLogger("mine").warning("careful")
        print("a", f"{SECRET}\nsecond line", "b")  # noqa: T201
        sys.stdout.buffer.write(b"bytes\n")
        sys.stdout.buffer.flush()
    out = capsys.readouterr().out
    assert "WARNING mine: careful\n" in out
    assert "a *** b\n" in out
    assert "bytes\n" in out


def test_an_error_without_secrets_is_the_same_object() -> None:
    error = ValueError("plain")
    assert logs.without_secrets(error) is error


def test_an_error_leaves_without_secrets_and_with_what_the_machine_reads() -> None:
    MASKER.add(SECRET)
    note = f"{PUSHED_BEFORE_FAILURE}{SECRET}]"
    error = KeyError(SECRET)
    try:
        try:
            raise RuntimeError(SECRET)  # noqa: TRY301
        except RuntimeError as cause:
            raise ConnectionError(f"no way with {SECRET}{note}") from cause
    except ConnectionError as raised:
        shown = logs.without_secrets(raised)
    assert type(shown).__name__ == "ConnectionError"
    assert str(shown) == f"no way with ***{note}"
    assert shown.__cause__ is None
    assert shown.__suppress_context__
    assert SECRET not in str(logs.without_secrets(error))
    outer = ValueError("innocent")
    outer.__cause__ = error
    assert logs.without_secrets(outer) is not outer


@pytest.mark.parametrize(
    ("name", "sensitive"),
    [("db_password", True), ("API-Key", True), ("  token ", True), ("region", False), (None, False)],
)
def test_which_names_are_sensitive(name: str | None, sensitive: bool) -> None:
    assert is_sensitive(name) is sensitive


def test_airflows_configuration_has_a_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__SENSITIVE_VAR_CONN_NAMES", "iban, pin")
    assert is_sensitive("customer_iban")
    monkeypatch.setenv("AIRFLOW__CORE__HIDE_SENSITIVE_VAR_CONN_FIELDS", "False")
    assert not is_sensitive("customer_iban")
    assert not is_sensitive("password")


def test_what_is_masked() -> None:
    masker = Masker()
    masker.add({"password": SECRET, "region": "eu-central-1", "keys": [1, None]})
    masker.add("abc")
    masker.add("Airflow")
    masker.add(f"{SECRET}-longer")
    assert (
        masker.text(f"{SECRET} {SECRET}-longer eu-central-1 abc airflow")
        == "*** *** eu-central-1 abc airflow"
    )
    value = {"token": {"a": 1}, "list": [SECRET, ("x", {SECRET})], "empty": ""}
    assert masker.redact(value) == {"token": {"a": "***"}, "list": ["***", ("x", ("***",))], "empty": ""}
    short = Masker(minimum=1)
    short.add("abc")
    assert short.text("abcabc") == "******"


@pytest.mark.parametrize(
    ("version", "path"),
    [
        ("2.11.2", "airflow.utils.log.secrets_masker"),
        ("3.3.2", "airflow.sdk.execution_time.secrets_masker"),
        ("3.3.2", "airflow.sdk.log"),
    ],
)
def test_mask_secret_under_the_paths_of_both_majors(facade: Any, version: str, path: str) -> None:
    facade.configure(version=version, dags_folder="")
    import_module(path).mask_secret(SECRET)
    assert MASKER.text(f"x{SECRET}x") == "x***x"


@pytest.mark.usefixtures("facade")
def test_connections_and_sensitive_variables_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "AIRFLOW_CONN_DB", "postgres://me:p%40ss-word@h/x?api_key=extra-secret&sslmode=require"
    )
    monkeypatch.setenv("AIRFLOW_VAR_API_TOKEN", "variable-secret")
    monkeypatch.setenv("AIRFLOW_VAR_CONF", '{"password": "nested-secret", "region": "eu-west-1"}')
    import_module("airflow")
    connection = import_module("airflow._impl.connection").BaseHook.get_connection("db")
    get = import_module("airflow._impl.variable").Variable.get
    get("api_token")
    get("conf", deserialize_json=True)
    text = f"p@ss-word {connection.get_uri()} extra-secret variable-secret nested-secret eu-west-1 require"
    shown = MASKER.text(text)
    assert "eu-west-1 require" in shown
    assert not any(
        secret in shown for secret in ("p@ss", "p%40ss", "extra-sec", "variable-sec", "nested-sec")
    )
