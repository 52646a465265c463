from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from orkestra_bridge.runtime import lookup
from orkestra_bridge.runtime.lookup import LOOKUP, PREFIX_VARIABLE, Lookup, parameter_name, secret_name


class Refused(Exception):  # noqa: N818
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


class Aws:
    """Secrets Manager and Parameter Store with a few values; counts what it is asked."""

    def __init__(self, secrets: dict[str, str], parameters: dict[str, str], refused: str = "") -> None:
        self.secrets, self.parameters, self.refused = secrets, parameters, refused
        self.asked: list[str] = []
        self.clients: list[str] = []

    def client(self, service: str) -> Aws:
        self.clients.append(service)
        return self

    def get_secret_value(self, SecretId: str) -> dict[str, Any]:  # noqa: N803
        self.asked.append(f"secret {SecretId}")
        if self.refused:
            raise Refused(self.refused)
        if SecretId not in self.secrets:
            raise Refused("ResourceNotFoundException")
        return {"SecretString": self.secrets[SecretId]}

    def get_parameter(self, Name: str, WithDecryption: bool) -> dict[str, Any]:  # noqa: N803
        self.asked.append(f"parameter {Name}")
        assert WithDecryption
        if Name not in self.parameters:
            raise Refused("ParameterNotFound")
        return {"Parameter": {"Value": self.parameters[Name]}}


@pytest.fixture(autouse=True)
def _prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX_VARIABLE, "/orkestra-bridge")


def test_the_environment_wins_then_secrets_then_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(
        {"orkestra-bridge/variables/a": "secret", "orkestra-bridge/variables/b": "secret"},
        {"/orkestra-bridge/variables/b": "parameter", "/orkestra-bridge/variables/c": "parameter"},
    )
    found = Lookup(aws.client)
    monkeypatch.setenv("AIRFLOW_VAR_A", "environment")
    assert [found.find("variables", name) for name in "abc"] == ["environment", "secret", "parameter"]
    assert aws.asked == [
        "secret orkestra-bridge/variables/b",
        "secret orkestra-bridge/variables/c",
        "parameter /orkestra-bridge/variables/c",
    ]
    assert aws.clients == ["secretsmanager", "ssm"]


def test_each_name_is_asked_for_once_also_if_there_is_none() -> None:
    aws = Aws({}, {})
    found = Lookup(aws.client)
    for _ in range(3):
        assert found.find("connections", "db") is None
    assert len(aws.asked) == 2
    assert "push it to orkestra-bridge/connections/db" in found.remedy("connections", "db")
    found.forget()
    assert found.find("connections", "db") is None
    assert len(aws.asked) == 4


def test_without_a_prefix_aws_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PREFIX_VARIABLE)

    def client(service: str) -> Any:
        raise AssertionError(service)

    assert Lookup(client).find("variables", "a") is None


def test_a_refusal_is_said_and_the_next_place_is_asked(caplog: pytest.LogCaptureFixture) -> None:
    aws = Aws({}, {"/orkestra-bridge/variables/a": "parameter"}, refused="AccessDeniedException")
    found = Lookup(aws.client)
    assert found.find("variables", "a") == "parameter"
    assert found.find("variables", "b") is None
    assert "secretsmanager refused orkestra-bridge/variables/b" in found.remedy("variables", "b")
    assert "refused to give" in caplog.text


def test_any_other_error_is_raised_and_not_remembered() -> None:
    aws = Aws({}, {}, refused="ThrottlingException")
    found = Lookup(aws.client)
    for _ in range(2):
        with pytest.raises(Refused):
            found.find("variables", "a")
    aws.refused = ""
    assert found.find("variables", "a") is None


def test_a_name_that_aws_cannot_have_is_not_asked_for() -> None:
    aws = Aws({}, {})
    assert Lookup(aws.client).find("variables", "two words") is None
    assert aws.asked == []


@pytest.mark.parametrize("prefix", ["airflow", "/airflow/"])
def test_names_are_those_of_the_amazon_providers_backends(prefix: str) -> None:
    assert secret_name(prefix, "variables", "x") == "airflow/variables/x"
    assert parameter_name(prefix, "connections", "x") == "/airflow/connections/x"


@pytest.mark.usefixtures("facade")
def test_variables_connections_and_templates_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Aws(
        {"orkestra-bridge/connections/shop": "http://me:hunter2@shop.example"},
        {"/orkestra-bridge/variables/limits": '{"high": 9}'},
    )
    monkeypatch.setattr(lookup.LOOKUP, "_client", aws.client)
    LOOKUP.forget()
    import_module("airflow")
    variable, connection = import_module("airflow._impl.variable"), import_module("airflow._impl.connection")
    try:
        assert variable.Variable.get("limits", deserialize_json=True) == {"high": 9}
        assert variable.VariableAccessors().json.limits == {"high": 9}
        assert variable.VariableAccessors().value.get("none", "d") == "d"
        assert connection.BaseHook.get_connection("shop").host == "shop.example"
        assert connection.ConnectionAccessor().shop.password == "hunter2"
        assert len(aws.asked) == 2 + 2 + 1
    finally:
        LOOKUP.forget()
        LOOKUP._clients.clear()
