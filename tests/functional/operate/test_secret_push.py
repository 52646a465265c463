"""Pushing Variables and connections to moto's Parameter Store and Secrets Manager, and looking them up again."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from commands import bridge
from moto.server import ThreadedMotoServer

from orkestra_bridge.errors import AwsError, UsageError
from orkestra_bridge.operate.clients import clients
from orkestra_bridge.operate.secret_push import Change, SecretPush, Value
from orkestra_bridge.runtime.lookup import PREFIX_VARIABLE, Lookup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "eu-west-1",
}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def client(address: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return clients(endpoint_url=address)


def variable(name: str, text: str) -> Value:
    return Value("variables", name, text, "v.json:1")


def test_values_are_written_once_and_found_by_the_runtime(
    client: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    push = SecretPush(client, "/first")
    values = [
        variable("limits", '{"high": 9}'),
        variable("large", "x" * 5000),
        Value("connections", "db", "postgres://me:hunter2@h", "c.json:1"),
    ]
    created = (
        Change("create", "secret", "first/connections/db"),
        Change("create", "secret", "first/variables/large"),
        Change("create", "parameter", "/first/variables/limits"),
    )
    assert push.run(values, dry_run=True) == created
    assert push.run(values) == created
    assert {change.action for change in push.run(values)} == {"same"}
    changed = [variable("limits", "5"), variable("large", "small now")]
    assert [change.action for change in push.run(changed)] == ["update", "update"]
    kept = client("ssm").get_parameter(Name="/first/variables/limits")["Parameter"]
    assert kept["Type"] == "SecureString"
    assert "hunter2" not in repr(push.run(values, dry_run=True))

    monkeypatch.setenv(PREFIX_VARIABLE, "/first")
    found = Lookup(client)
    assert found.find("variables", "limits") == "5"
    assert found.find("variables", "large") == "small now"
    assert found.find("connections", "db") == "postgres://me:hunter2@h"
    assert found.find("connections", "none") is None


def test_more_parameters_than_one_call_takes(client: Callable[[str], Any]) -> None:
    values = [variable(f"v{number:02}", str(number)) for number in range(23)]
    push = SecretPush(client, "many")
    push.run(values)
    assert {change.action for change in push.run(values)} == {"same"}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (variable("empty", ""), "v.json:1 'empty' is empty"),
        (variable("huge", "x" * 70_000), "v.json:1 'huge' has more than"),
        (variable("two words", "x"), "v.json:1 'two words' has characters"),
        (
            Value("kubernetes-secrets", "etl/big", "x" * 9000, "k.json"),
            "k.json 'etl/big' has more than the 8192",
        ),
    ],
)
def test_what_aws_cannot_keep_stops_everything_before_it_begins(value: Value, said: str) -> None:
    def client(_service: str) -> Any:
        raise AssertionError

    with pytest.raises(UsageError, match=said):
        SecretPush(client, "p").run([variable("good", "x"), value])
    with pytest.raises(UsageError, match="prefix"):
        SecretPush(client, "/aws/x").run([variable("good", "x")])


def test_a_refusal_says_what_was_being_done(client: Callable[[str], Any]) -> None:
    secrets = client("secretsmanager")
    secrets.create_secret(Name="gone/connections/db", SecretString="x")
    secrets.delete_secret(SecretId="gone/connections/db")
    with pytest.raises(AwsError, match="writing gone/connections/db") as caught:
        SecretPush(client, "gone").run([Value("connections", "db", "http://hunter2", "c.json:1")])
    assert "hunter2" not in str(caught.value)


def test_the_command_shows_names_and_no_values(address: str, tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text(json.dumps({"bucket": "my-bucket-value", "limits": {"a": 1}}))
    (tmp_path / "c.yaml").write_text("db:\n  conn_type: postgres\n  password: hunter2\n")
    options = (
        "--variables",
        "v.json",
        "--connections",
        "c.yaml",
        "--prefix",
        "/cmd",
        "--endpoint-url",
        address,
    )
    dry = bridge("secrets", "push", *options, "--dry-run", cwd=tmp_path, **CREDENTIALS)
    assert dry.code == 0, dry.err
    assert dry.out.splitlines() == [
        "create  secret    cmd/connections/db",
        "create  parameter /cmd/variables/bucket",
        "create  parameter /cmd/variables/limits",
        "3 would be created, 0 would be updated, 0 are the same",
    ]
    done = bridge("secrets", "push", *options, cwd=tmp_path, **CREDENTIALS)
    again = bridge("secrets", "push", *options, cwd=tmp_path, **CREDENTIALS)
    assert again.out.splitlines()[-1] == "0 were created, 0 were updated, 3 are the same"
    assert not any(value in done.out + done.err for value in ("hunter2", "my-bucket-value"))


def test_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text('{"a": "b"}')
    assert bridge("secrets", "push", cwd=tmp_path).code == 2
    nobody = bridge(
        "secrets", "push", "--variables", "v.json", "--profile", "none", cwd=tmp_path, HOME=str(tmp_path)
    )
    assert (nobody.code, "Traceback" in nobody.err) == (6, False)
    options = ("--variables", "v.json", "--endpoint-url", "http://127.0.0.1:9", "--region", "eu-west-1")
    away = bridge("secrets", "push", *options, cwd=tmp_path, **CREDENTIALS, AWS_MAX_ATTEMPTS="1")
    assert (away.code, "Traceback" in away.err) == (6, False)


def test_keys_of_kubernetes_are_parameters(
    address: str, tmp_path: Path, client: Callable[[str], Any]
) -> None:
    texts = {"token": b"hunter2", "large": b"x" * 5000, "empty": b""}
    data = {key: base64.b64encode(value).decode() for key, value in texts.items()}
    listed = [
        {"kind": "Secret", "metadata": {"name": "etl"}, "data": data},
        {"kind": "ConfigMap", "metadata": {"name": "site"}, "data": {"region": "eu"}},
    ]
    (tmp_path / "k.json").write_text(json.dumps({"kind": "List", "items": listed}))
    options = ("secrets", "push", "--kubernetes", "k.json", "--prefix", "/k8s", "--endpoint-url", address)
    dry = bridge(*options, "--dry-run", cwd=tmp_path, **CREDENTIALS)
    assert dry.code == 0, dry.err
    assert dry.out.splitlines() == [
        "create  parameter /k8s/kubernetes-configmaps/site/region",
        "create  parameter /k8s/kubernetes-secrets/etl/large",
        "create  parameter /k8s/kubernetes-secrets/etl/token",
        "3 would be created, 0 would be updated, 0 are the same",
    ]
    assert "left out  kubernetes-secrets/etl/empty" in dry.err
    assert bridge(*options, cwd=tmp_path, **CREDENTIALS).code == 0
    again = bridge(*options, cwd=tmp_path, **CREDENTIALS)
    assert again.out.splitlines()[-1] == "0 were created, 0 were updated, 3 are the same"
    found = client("ssm").get_parameter(Name="/k8s/kubernetes-secrets/etl/token", WithDecryption=True)
    assert found["Parameter"]["Value"] == "hunter2"
    assert "hunter2" not in dry.out + dry.err + again.out + again.err
