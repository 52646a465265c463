"""Where large XComs are kept: a folder, and S3 as moto serves it on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from orkestra_bridge.runtime.errors import XComStorageError
from orkestra_bridge.runtime.storage import VARIABLE, FolderStore, S3Store, part, store_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orkestra_bridge.runtime.storage import Store


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def client(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    import boto3

    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    found = boto3.client("s3")
    found.create_bucket(Bucket="xcoms")
    return found


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return FolderStore(tmp_path / "xcom")
    request.getfixturevalue("client")
    return S3Store("xcoms", "machine")


def test_what_was_written_is_read_again_and_the_last_one_counts(store: Store) -> None:
    store.write("run/task/key.json", b"old")
    store.write("run/task/key.json", b"new" * 1_000_000)
    store.write("run/task/0/key.json", b"other")
    assert store.read("run/task/key.json") == b"new" * 1_000_000
    assert store.read("run/task/0/key.json") == b"other"


def test_what_is_not_there_is_named(store: Store) -> None:
    with pytest.raises(XComStorageError, match=r"run/none\.json cannot be read.*(NoSuchKey|No such file)"):
        store.read("run/none.json")


def test_objects_lie_below_the_prefix(client: Any) -> None:
    found = store_of({VARIABLE: "s3://xcoms/of/machine"})
    assert isinstance(found, S3Store)
    found.write("run/t/k.json", b"[1]")
    answer = client.get_object(Bucket="xcoms", Key="of/machine/run/t/k.json")
    assert (answer["Body"].read(), answer["ContentType"]) == (b"[1]", "application/json")


def test_a_bucket_that_refuses_is_named(client: Any) -> None:
    with pytest.raises(XComStorageError, match=r"s3://nobodys/k\.json cannot be written: .*NoSuchBucket"):
        S3Store("nobodys", "").write("k.json", b"1")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(XComStorageError, match="cannot be written"):
        FolderStore(tmp_path / "file").write("a/b.json", b"1")


def test_the_environment_chooses(tmp_path: Path) -> None:
    assert store_of({}) is None
    assert store_of({VARIABLE: ""}) is None
    assert isinstance(store_of({VARIABLE: str(tmp_path)}), FolderStore)
    assert store_of({VARIABLE: str(tmp_path)}) is store_of({VARIABLE: str(tmp_path)})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("return_value", "return_value"),
        ("a.b-c", "a.b-c"),
        ("a/../b", "a%2F..%2Fb"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("", "%"),
        ("größe", "gr%C3%B6%C3%9Fe"),
    ],
)
def test_parts_of_keys(text: str, expected: str) -> None:
    assert part(text) == expected


def test_long_parts_stay_apart() -> None:
    one, other = part("x" * 500 + "a"), part("x" * 500 + "b")
    assert one != other
    assert len(one) == len(other) == 120
