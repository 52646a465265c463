"""Variables, connections and configuration from the environment."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("facade")


def variable() -> Any:
    import_module("airflow")
    return import_module("airflow._impl.variable")


def connection() -> Any:
    import_module("airflow")
    return import_module("airflow._impl.connection")


def test_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_LIMITS", '{"high": 9}')
    get = variable().Variable.get
    assert get("limits") == '{"high": 9}'
    assert get("Limits", deserialize_json=True) == {"high": 9}
    assert get("nope", default_var=None) is None
    assert get("nope", "d") == "d"
    assert get("nope", default={"a": 1}, deserialize_json=True) == {"a": 1}


@pytest.mark.parametrize(("version", "error"), [("2.11.2", "KeyError"), ("3.3.2", "AirflowRuntimeError")])
def test_a_missing_variable_is_named(facade: Any, version: str, error: str) -> None:
    facade.configure(version=version, dags_folder="")
    with pytest.raises(Exception, match="AIRFLOW_VAR_NOPE") as caught:
        variable().Variable.get("nope")
    assert type(caught.value).__name__ == error


def test_variables_cannot_be_written() -> None:
    with pytest.raises(Exception, match="read-only"):
        variable().Variable.set("k", "v")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "postgresql://user:p%40ss@db.example:5432/shop?sslmode=require&n=1",
            ("postgres", "db.example", "user", "p@ss", "shop", 5432, {"sslmode": "require", "n": "1"}),
        ),
        ("aws://", ("aws", "", None, None, "", None, {})),
        ("my-type://h", ("my_type", "h", None, None, "", None, {})),
        ("http://https%3A%2F%2Fapi.example/v1", ("http", "https://api.example", None, None, "v1", None, {})),
        ("http://https://api.example/v1", ("http", "https://api.example", None, None, "v1", None, {})),
        ("x://h/?__extra__=%7B%22a%22%3A+1%7D", ("x", "h", None, None, "", None, {"a": 1})),
        (
            '{"conn_type": "postgresql", "host": "h", "port": "12", "extra": {"a": [1]}, "login": "l"}',
            ("postgres", "h", "l", None, None, 12, {"a": [1]}),
        ),
    ],
)
def test_connections(monkeypatch: pytest.MonkeyPatch, text: str, expected: tuple[Any, ...]) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_MY_DB", text)
    found = connection().BaseHook.get_connection("my_db")
    assert (
        found.conn_type,
        found.host,
        found.login,
        found.password,
        found.schema,
        found.port,
        found.extra_dejson,
    ) == expected
    assert found.conn_id == "my_db"


def test_a_uri_makes_the_connection_again() -> None:
    kind = connection().Connection
    one = kind(
        conn_type="http", host="h/x", login="a:b", password="p@", schema="s s", port=8, extra='{"k": [1]}'
    )
    other = kind(uri=one.get_uri())
    assert other.to_dict() | {"conn_id": None} == one.to_dict()


def test_a_missing_connection_is_named() -> None:
    with pytest.raises(Exception, match="AIRFLOW_CONN_NOPE") as caught:
        connection().BaseHook.get_connection("nope")
    assert type(caught.value).__name__ == "AirflowNotFoundException"
    assert connection().ConnectionAccessor().get("nope", "d") == "d"


def test_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    conf = import_module("airflow.configuration").conf
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "7")
    monkeypatch.setenv("AIRFLOW__MY_SECTION__ON", "True")
    assert conf.getint("core", "parallelism") == 7
    assert conf.getboolean("my_section", "on") is True
    assert conf.get("no", "such", fallback=None) is None
    assert conf.getboolean("no", "such", fallback=False) is False
    with pytest.raises(Exception, match=r"\[no/such\] not found"):
        conf.get("no", "such")
