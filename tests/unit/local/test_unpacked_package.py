"""Packages on disk: unzipped once, described by their manifest."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import pytest

from orkestra_bridge.errors import LocalRunError, UsageError
from orkestra_bridge.local.package import AWS_SDK, IN_EVERY_RUNTIME, site_packages_of, unpack

REQUIREMENTS = [
    {"name": "pandas", "version": "2.2", "modules": ["pandas"], "provided": False},
    {"name": "boto3", "version": "1.4", "modules": ["boto3", "a"], "provided": True},
]


def archive(folder: Path, text: str = "") -> Path:
    path = folder / "tasks.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("manifest.json", json.dumps({"version": 1, "requirements": REQUIREMENTS}))
        opened.writestr("source/dag.py", text)
        opened.writestr("orkestra_bridge/runtime/facade/airflow/__init__.py", "")
        opened.writestr("orkestra_bridge/runtime/facade/airflow/_impl/dag.py", "")
        script = zipfile.ZipInfo("source/run.sh")
        script.external_attr = 0o755 << 16
        opened.writestr(script, "#!/bin/sh\n")
    return path


def test_a_package_is_described(tmp_path: Path) -> None:
    package = unpack(archive(tmp_path), tmp_path / "runs")
    assert package.modules == tuple(sorted({"a", "pandas", *IN_EVERY_RUNTIME}))
    assert package.distributions == tuple(sorted({"pandas", *AWS_SDK}))
    assert package.preload == ("orkestra_bridge.runtime.handler", "airflow", "airflow._impl.dag")
    assert (package.root / "source" / "run.sh").stat().st_mode & 0o100
    assert package.facade.is_dir()


def test_the_same_content_is_unzipped_once(tmp_path: Path) -> None:
    first = unpack(archive(tmp_path, "one"), tmp_path / "runs")
    (first.root / "seen").write_text("")
    assert unpack(archive(tmp_path, "one"), tmp_path / "runs") == first
    assert (first.root / "seen").exists()
    other = unpack(archive(tmp_path, "two"), tmp_path / "runs")
    assert other.root != first.root
    assert (other.root / "source" / "dag.py").read_text() == "two"


def test_nothing_half_unzipped_stays(tmp_path: Path) -> None:
    path = archive(tmp_path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(LocalRunError, match="cannot be used"):
        unpack(path, tmp_path / "runs")
    assert not list((tmp_path / "runs").rglob("*.py"))


def test_a_package_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        unpack(tmp_path / "tasks.zip", tmp_path / "runs")


def test_where_an_interpreter_has_its_packages() -> None:
    (folder, *_) = site_packages_of(Path(sys.executable))
    assert (folder / "rich").is_dir()
    with pytest.raises(LocalRunError, match="cannot be asked"):
        site_packages_of(Path("/no/such/python"))
