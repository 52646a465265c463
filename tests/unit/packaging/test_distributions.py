"""Which distribution brings a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packages import installed, write_tree

from orkestra_bridge.packaging.distributions import DistributionIndex

if TYPE_CHECKING:
    from pathlib import Path


def owners(index: DistributionIndex, module: str, *names: str) -> list[str]:
    return [distribution.name for distribution in index.owners(module, names)]


def test_a_module_called_like_its_distribution(tmp_path: Path) -> None:
    installed(tmp_path, "Requests", "2.0", {"requests/__init__.py": "", "requests/api.py": ""})
    index = DistributionIndex([tmp_path])
    assert owners(index, "requests.api", "get") == ["Requests"]
    found = index.get("requests")
    assert found is not None
    assert (found.version, found.modules) == ("2.0", ("requests",))


def test_a_module_with_another_name(tmp_path: Path) -> None:
    installed(tmp_path, "PyYAML", "6.0", {"yaml/__init__.py": "", "_yaml/__init__.py": ""})
    installed(tmp_path, "six", "1.16", {"six.py": ""})
    index = DistributionIndex([tmp_path])
    assert owners(index, "yaml") == ["PyYAML"]
    assert owners(index, "six.moves") == ["six"]
    assert owners(index, "unknown") == []


def test_compiled_modules_count(tmp_path: Path) -> None:
    installed(tmp_path, "fast", "1", {"_fast.cpython-313-aarch64-linux-gnu.so": ""})
    assert owners(DistributionIndex([tmp_path]), "_fast") == ["fast"]


def test_parts_of_a_namespace_package_belong_to_their_distribution(tmp_path: Path) -> None:
    installed(tmp_path, "google-cloud-storage", "2", {"google/cloud/storage/__init__.py": ""})
    installed(tmp_path, "google-cloud-bigquery", "3", {"google/cloud/bigquery/__init__.py": ""})
    installed(
        tmp_path, "protobuf", "5", {"google/protobuf/__init__.py": "", "google/_upb/_message.abi3.so": ""}
    )
    index = DistributionIndex([tmp_path])
    assert owners(index, "google.cloud", "storage") == ["google-cloud-storage"]
    assert owners(index, "google.cloud.bigquery", "Client") == ["google-cloud-bigquery"]
    assert owners(index, "google.protobuf.message") == ["protobuf"]
    storage = index.get("google-cloud-storage")
    assert storage is not None
    assert storage.modules == ("google.cloud.storage",)


def test_the_first_folder_wins(tmp_path: Path) -> None:
    installed(tmp_path / "a", "lib", "1", {"lib.py": ""})
    installed(tmp_path / "b", "lib", "2", {"lib.py": ""})
    found = DistributionIndex([tmp_path / "a", tmp_path / "b"]).get("lib")
    assert found is not None
    assert found.version == "1"


def test_an_editable_install_brings_what_is_in_its_folder(tmp_path: Path) -> None:
    source = write_tree(
        tmp_path / "my lib", {"src/mylib/__init__.py": "", "src/single.py": "", "setup.py": ""}
    )
    origin = {"url": source.as_uri(), "dir_info": {"editable": True}}
    installed(tmp_path / "site", "my-lib", "0.1", {"__editable__.my_lib.pth": ""}, direct_url=origin)
    found = DistributionIndex([tmp_path / "site"]).get("my_lib")
    assert found is not None
    assert found.modules == ("mylib", "single")
    assert found.folder == str(source)


def test_the_origin_of_a_repository_install(tmp_path: Path) -> None:
    origin = {"url": "https://example.org/lib.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}
    installed(tmp_path, "lib", "1", {"lib.py": ""}, direct_url=origin)
    found = DistributionIndex([tmp_path]).get("lib")
    assert found is not None
    assert (found.url, found.folder) == ("git+https://example.org/lib.git@abc", "")
