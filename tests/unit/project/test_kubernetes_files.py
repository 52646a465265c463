"""Files that kubectl writes: JSON, YAML, lists and several documents."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from orkestra_bridge.errors import UsageError
from orkestra_bridge.project.kubernetes_files import read_kubernetes

if TYPE_CHECKING:
    from pathlib import Path


def encoded(text: bytes) -> str:
    return base64.b64encode(text).decode()


def a_secret(name: str = "etl", namespace: str = "prod", **data: bytes) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "data": {key: encoded(value) for key, value in data.items()},
    }


def a_file(folder: Path, *documents: dict[str, Any], name: str = "secrets.json") -> Path:
    path = folder / name
    path.write_text("\n---\n".join(json.dumps(each) for each in documents), encoding="utf-8")
    return path


def found(*paths: Path) -> dict[str, str | None]:
    return {f"{each.folder}/{each.name}": each.value for each in read_kubernetes(paths)}


def test_a_secret_is_decoded(tmp_path: Path) -> None:
    assert found(a_file(tmp_path, a_secret(token="hunter2 é".encode(), empty=b"", binary=b"\xff\x00"))) == {
        "kubernetes-secrets/etl/binary": None,
        "kubernetes-secrets/etl/empty": None,
        "kubernetes-secrets/etl/token": "hunter2 é",
    }


def test_yaml_with_several_documents_and_config_maps(tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    path.write_text(
        "kind: ConfigMap\nmetadata:\n  name: site\ndata:\n  region: eu-west-1\n  'on': |\n    two\n    lines\n"
        "binaryData:\n  logo: /w==\n---\nkind: Secret\nmetadata:\n  name: etl\nstringData:\n  token: plain\n"
    )
    assert found(path) == {
        "kubernetes-configmaps/site/logo": None,
        "kubernetes-configmaps/site/on": "two\nlines\n",
        "kubernetes-configmaps/site/region": "eu-west-1",
        "kubernetes-secrets/etl/token": "plain",
    }


def test_a_list_and_the_same_object_twice(tmp_path: Path) -> None:
    listed = {"kind": "List", "items": [a_secret(a=b"1"), a_secret("other", b=b"2")]}
    again = a_file(tmp_path, a_secret(a=b"1"), name="again.json")
    assert set(found(a_file(tmp_path, listed), again)) == {
        "kubernetes-secrets/etl/a",
        "kubernetes-secrets/other/b",
    }


def test_two_namespaces_with_different_values_are_refused(tmp_path: Path) -> None:
    path = a_file(tmp_path, a_secret(a=b"one-value"), a_secret(namespace="dev", a=b"two-value"))
    with pytest.raises(UsageError, match="etl/a is another one in prod and dev") as caught:
        read_kubernetes([path])
    assert "value" not in str(caught.value).replace("is another one", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "neither JSON nor YAML"),
        ("[1]", "no object"),
        ('{"kind": "Pod", "metadata": {"name": "x"}}', "no Secret and no ConfigMap"),
        ('{"kind": "Secret", "metadata": {}}', "no Secret and no ConfigMap"),
        ('{"kind": "Secret", "metadata": {"name": "x"}, "data": {"k": "***"}}', "x, key k is not in Base64"),
        ('{"kind": "Secret", "metadata": {"name": "x"}, "data": [1]}', "no keys and values"),
    ],
)
def test_what_is_none_of_them_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "f.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        read_kubernetes([path])


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_kubernetes([tmp_path / "none.json"])
