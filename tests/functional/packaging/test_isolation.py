"""What a process can import once it is isolated."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packages import installed, write_tree

from orkestra_bridge.packaging import isolation

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBE = """\
import importlib, json, sys

def imports(names):
    found = {}
    for name in names:
        try:
            found[name] = getattr(importlib.import_module(name), "__file__", None) or "namespace"
        except ImportError as error:
            found[name] = f"{type(error).__name__}: {error}"
    print(json.dumps(found))

def version(name):
    from importlib.metadata import PackageNotFoundError, version
    try:
        print(json.dumps(version(name)))
    except PackageNotFoundError:
        print(json.dumps(None))

def path():
    print(json.dumps(sys.path))

def seven():
    return 7
"""


def start(*arguments: str, variables: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", str(Path(isolation.__file__)), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=variables)


def isolated(root: Path, run: str, *args: Any, **config: Any) -> Any:
    task_root = write_tree(root / "task", {"probe.py": PROBE, "own/module.py": ""})
    facts = {"task_root": str(task_root), "run": f"probe:{run}", "args": args, **config}
    done = start(json.dumps(facts))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    installed(site, "listed", "1.5", {"listed/__init__.py": "", "listed/part.py": "import needed\n"})
    installed(site, "needed", "2.0", {"needed.py": ""})
    installed(site, "storage", "3.0", {"google/cloud/storage/__init__.py": ""})
    installed(site, "bigquery", "4.0", {"google/cloud/bigquery/__init__.py": ""})
    installed(site, "airflow", "9.9", {"airflow/__init__.py": ""})
    return site


def test_only_listed_modules_come_from_site_packages(tmp_path: Path, site: Path) -> None:
    names = ["listed", "needed", "own.module", "json", "airflow", "pytest"]
    found = isolated(tmp_path, "imports", names, site_packages=[str(site)], modules=["listed", "airflow"])
    assert found == {
        "listed": str(site / "listed" / "__init__.py"),
        "needed": "ModuleNotFoundError: No module named 'needed'",
        "own.module": str(tmp_path / "task" / "own" / "module.py"),
        "json": found["json"],
        "airflow": "ModuleNotFoundError: No module named 'airflow'",
        "pytest": "ModuleNotFoundError: No module named 'pytest'",
    }
    assert found["json"].endswith("json/__init__.py")


def test_what_a_listed_module_imports_must_be_listed_too(tmp_path: Path, site: Path) -> None:
    without = isolated(tmp_path, "imports", ["listed.part"], site_packages=[str(site)], modules=["listed"])
    assert without["listed.part"] == "ModuleNotFoundError: No module named 'needed'"
    listed = isolated(
        tmp_path, "imports", ["listed.part"], site_packages=[str(site)], modules=["listed", "needed"]
    )
    assert listed["listed.part"] == str(site / "listed" / "part.py")


def test_parts_of_a_namespace_package(tmp_path: Path, site: Path) -> None:
    names = ["google.cloud.storage", "google.cloud.bigquery", "google"]
    found = isolated(tmp_path, "imports", names, site_packages=[str(site)], modules=["google.cloud.storage"])
    assert found["google.cloud.storage"] == str(site / "google" / "cloud" / "storage" / "__init__.py")
    assert found["google.cloud.bigquery"] == "ModuleNotFoundError: No module named 'google.cloud.bigquery'"
    assert found["google"] == "namespace"


def test_the_package_wins_over_the_layer(tmp_path: Path, site: Path) -> None:
    write_tree(tmp_path / "task", {"listed.py": ""})
    found = isolated(tmp_path, "imports", ["listed"], site_packages=[str(site)], modules=["listed"])
    assert found["listed"] == str(tmp_path / "task" / "listed.py")


@pytest.mark.parametrize(
    ("config", "name", "version"),
    [
        ({}, "listed", "1.5"),
        ({"distributions": ["Listed"]}, "listed", "1.5"),
        ({"distributions": ["Listed"]}, "needed", None),
        ({}, "pytest", None),
    ],
)
def test_metadata(tmp_path: Path, site: Path, config: dict[str, Any], name: str, version: str | None) -> None:
    found = isolated(tmp_path, "version", name, site_packages=[str(site)], modules=["listed"], **config)
    assert found == version


def test_nothing_else_is_on_the_path(tmp_path: Path, site: Path) -> None:
    found = isolated(tmp_path, "path", site_packages=[str(site)], modules=["listed"])
    assert found[0] == str(tmp_path / "task")
    assert str(site) not in found
    assert not [entry for entry in found if entry.endswith("-packages")]


def test_variables_of_the_user_change_nothing(tmp_path: Path) -> None:
    task_root = write_tree(tmp_path, {"probe.py": PROBE, "extra/surprise.py": ""})
    facts = {"task_root": str(task_root), "run": "probe:imports", "args": [["surprise"]]}
    done = start(json.dumps(facts), variables={"PYTHONPATH": str(tmp_path / "extra")})
    assert json.loads(done.stdout)["surprise"].startswith("ModuleNotFoundError")


def test_a_program_outside_of_the_package_and_its_exit_code(tmp_path: Path) -> None:
    program = write_tree(tmp_path / "elsewhere", {"probe.py": PROBE}) / "probe.py"
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"task_root": str(tmp_path), "run": f"{program}:seven"}))
    assert start(f"@{config}").returncode == 7


def test_wrong_usage() -> None:
    done = start()
    assert done.returncode == 2
    assert done.stderr.startswith("usage:")
