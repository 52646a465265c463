"""Packages of tasks with requirements of their own: which ones, in which versions, and what the DAG leaves to them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from packages import dag_file, environment, installed, write_tree
from workflows import a_task, a_workflow

from orkestra_bridge.ir.model import Attribute, Given, Task
from orkestra_bridge.ir.places import Packages
from orkestra_bridge.options import Target
from orkestra_bridge.packaging.build import build_package
from orkestra_bridge.packaging.installer import pins
from orkestra_bridge.packaging.requirements import marker_environment
from orkestra_bridge.packaging.requirements_file import read_requirements

if TYPE_CHECKING:
    from pathlib import Path

    from orkestra_bridge.packaging.model import PackageResult

DAG = """\
import jinja2

def train():
    import heavy

def load():
    import light
"""


def own(task_id: str, packages: Packages | None, function: str = "") -> Task:
    called = Attribute(name="python_callable", value=f"dag.{function or task_id}", of_class=True)
    given = Given(packages=packages, own=True) if packages else None
    return a_task(task_id, attributes=(called,), given=given)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    for name in ("jinja2", "pendulum", "light"):
        installed(folder, name, "1.0", {f"{name}/__init__.py": ""})
    installed(folder, "heavy", "2.1", {"heavy/__init__.py": ""}, requires=["needed-by-heavy"])
    installed(folder, "needed-by-heavy", "3.0", {"needed_by_heavy.py": ""})
    return folder


def build(site: Path, requirements: str, *tasks: Task, source: str = DAG) -> PackageResult:
    root = write_tree(site.parent / "dags", {"dag.py": source})
    listing = site.parent / "train.txt"
    listing.write_text(requirements)
    files = {"train.txt": read_requirements(listing, marker_environment(Target()))}
    return build_package(a_workflow(*tasks), dag_file(root), environment(site), Target(), of_tasks=files)


GIVEN = Packages(2, "train.txt")
TRAIN, LOAD = own("train", GIVEN), own("load", None)


def test_what_is_installed_is_taken_as_it_is_with_all_that_it_needs(site: Path) -> None:
    result = build(site, "heavy>=2\n", TRAIN, LOAD)
    [packages] = result.package.of_tasks
    assert packages.task_ids == ("train",)
    assert packages.added == ()
    assert pins(packages.requirements) == (
        "heavy==2.1", "jinja2==1.0", "light==1.0", "needed-by-heavy==3.0", "pendulum==1.0",
    )  # fmt: skip


def test_what_only_these_tasks_import_is_not_in_the_package_of_the_dag(site: Path) -> None:
    result = build(site, "heavy>=2\n", TRAIN, LOAD)
    assert pins(result.package.requirements) == ("jinja2==1.0", "light==1.0", "pendulum==1.0")
    [finding] = result.findings
    assert (finding.id, finding.line) == ("OB445", 4)
    assert "heavy is packed for train alone" in finding.message


@pytest.mark.parametrize(
    ("tasks", "source"),
    [
        ((TRAIN, LOAD, own("again", None, "train")), DAG),
        ((TRAIN, LOAD), DAG.replace("import jinja2\n", "import jinja2\nimport heavy\n")),
        ((TRAIN, LOAD), DAG.replace("import light", "import heavy")),
        ((TRAIN, LOAD), f"{DAG}\ndef helper():\n    import heavy\n"),
    ],
)
def test_what_others_import_too_stays_in_the_package_of_the_dag(
    site: Path, tasks: tuple[Task, ...], source: str
) -> None:
    assert "heavy==2.1" in pins(build(site, "heavy>=2\n", *tasks, source=source).package.requirements)


def test_another_version_than_the_installed_one_is_for_uv_to_find(site: Path) -> None:
    result = (
        build(site, "heavy[gpu]==9 ; python_version > '3'\n-c bounds.txt\n", TRAIN)
        if ((site.parent / "bounds.txt").write_text("needed-by-heavy<4\n"))
        else None
    )
    assert result is not None
    [packages] = result.package.of_tasks
    assert [each.line for each in packages.added] == ["heavy[gpu]==9"]
    assert "heavy[gpu]==9" in pins(packages.requirements)
    assert "needed-by-heavy==3.0" not in pins(packages.requirements)
    assert packages.constraints == ("needed-by-heavy<4",)
    manifest = json.loads(result.package.entries[0].data)
    assert manifest["of_tasks"]["2"]["added"] == ["heavy[gpu]==9"]
    assert "jinja2==1.0" in manifest["of_tasks"]["2"]["constraints"]


def test_a_distribution_at_an_address_is_taken_from_there(site: Path) -> None:
    [packages] = build(site, "heavy @ https://example.com/heavy.whl\n", TRAIN).package.of_tasks
    assert [each.line for each in packages.added] == ["heavy @ https://example.com/heavy.whl"]


def test_a_folder_cannot_be_packed(site: Path) -> None:
    found = build(site, "-e ../heavy\n./wheels/light.whl\n-c https://example.com/c.txt\n", TRAIN).findings
    assert [each.id for each in found] == ["OB444", "OB444"]
    assert "train.txt:1" in found[0].message


def test_an_import_that_is_not_installed_is_left_to_be_met(site: Path) -> None:
    source = DAG.replace("import heavy", "import absent")
    result = build(site, "absent==1\n", TRAIN, LOAD, source=source)
    assert [(found.module, finding.id) for found, finding in result.unmet] == [("absent", "OB401")]
    assert [each.id for each in result.findings] == []
    at_the_top = build(site, "absent==1\n", TRAIN, source=f"import absent\n{DAG}")
    assert [each.id for each in at_the_top.findings if each.id == "OB401"] == ["OB401"]


def test_tasks_with_the_same_file_share_their_packages(site: Path) -> None:
    packages = build(site, "light\n", TRAIN, own("load", GIVEN)).package.of_tasks
    assert [each.task_ids for each in packages] == [("train", "load")]


def test_without_such_tasks_nothing_is_different(site: Path) -> None:
    root = write_tree(site.parent / "dags", {"dag.py": DAG})
    plain = build_package(a_workflow(LOAD), dag_file(root), environment(site), Target())
    assert plain.package.of_tasks == ()
    assert "of_tasks" not in json.loads(plain.package.entries[0].data)
