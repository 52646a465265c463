"""Packages on disk: unzipped once, described by their manifest."""

from __future__ import annotations

import json
import py_compile
import shutil
import sys
import zipfile
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from orkestra_bridge.errors import LocalRunError, UsageError
from orkestra_bridge.local.package import AWS_SDK, IN_EVERY_RUNTIME, PACKAGES, site_packages_of, unpack

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


def test_the_runtime_is_compiled_once_for_all_packages(tmp_path: Path) -> None:
    module = "orkestra_bridge/runtime/facade/airflow/__init__.py"
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    for folder in (first, second, third):
        folder.mkdir()
    one = unpack(archive(first, "one"), tmp_path / "runs")
    py_compile.compile(str(one.root / module), doraise=True)
    two = unpack(archive(second, "two"), tmp_path / "runs")
    taken = Path(cache_from_source(two.root / module))
    assert taken.samefile(cache_from_source(one.root / module))
    assert (two.root / module).stat().st_mtime == (one.root / module).stat().st_mtime
    assert not list((two.root / "source").rglob("*.pyc"))
    shutil.rmtree(one.root.parent)
    assert not list(unpack(archive(third, "three"), tmp_path / "runs").root.rglob("*.pyc"))
    assert next((tmp_path / "runs" / PACKAGES).glob("runtime-*")).exists()


def test_another_runtime_is_compiled_anew(tmp_path: Path) -> None:
    one = unpack(archive(tmp_path), tmp_path / "runs")
    py_compile.compile(str(one.root / "orkestra_bridge/runtime/facade/airflow/__init__.py"), doraise=True)
    with zipfile.ZipFile(tmp_path / "tasks.zip", "a") as opened:
        opened.writestr("orkestra_bridge/runtime/new.py", "")
    assert not list(unpack(tmp_path / "tasks.zip", tmp_path / "runs").root.rglob("*.pyc"))


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
    with pytest.raises(LocalRunError, match="does not work as a Python"):
        site_packages_of(Path("/no/such/python"))
