"""One DAG's package."""

from __future__ import annotations

import io
import json
import os
import zipfile
from typing import TYPE_CHECKING, Any

from packages import dag_file, environment, installed, write_tree
from workflows import a_task, a_workflow

from orkestra_bridge.ir.serialize import to_document
from orkestra_bridge.options import Target
from orkestra_bridge.packaging.archive import tree_hash, zipped
from orkestra_bridge.packaging.build import build_package
from orkestra_bridge.packaging.model import Entry

if TYPE_CHECKING:
    from pathlib import Path

    from orkestra_bridge.packaging.model import PackageResult

FILES = {"dag.py": "import helper\nimport pandas\n", "helper.py": "x = 1\n", "unused.py": ""}


def build(root: Path, files: dict[str, str] | None = None, **fields: Any) -> PackageResult:
    workflow = a_workflow(a_task("a"), **fields)
    return build_package(workflow, dag_file(write_tree(root, files or FILES)), environment(), Target())


def opened(result: PackageResult) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(zipped(result.package)))


def test_what_is_in_it(tmp_path: Path) -> None:
    result = build(tmp_path)
    names = opened(result).namelist()
    own = [name for name in names if not name.startswith("orkestra_bridge/")]
    assert own == ["manifest.json", "source/dag.py", "source/helper.py"]
    assert "orkestra_bridge/__init__.py" in names
    assert "orkestra_bridge/runtime/__init__.py" in names
    assert not [name for name in names if name.endswith(".pyc") or "/packaging/" in name]
    assert result.package.sources == ("dag.py", "helper.py")
    assert opened(result).testzip() is None


def test_the_manifest(tmp_path: Path) -> None:
    result = build(tmp_path)
    manifest = json.loads(opened(result).read("manifest.json"))
    assert manifest["version"] == 1
    assert manifest["dag_file"] == "dag.py"
    assert manifest["source"] == "source"
    assert manifest["workflow"] == json.loads(json.dumps(to_document(a_workflow(a_task("a")))))
    assert manifest["requirements"][0] == {"name": "jinja2", "version": "", "modules": [], "provided": False}


def test_whether_tasks_could_make_environments_where_the_dag_was_parsed(tmp_path: Path) -> None:
    workflow, file = a_workflow(a_task("a")), dag_file(write_tree(tmp_path / "dags", FILES))
    installed(tmp_path / "with", "virtualenv", "20.0", {"virtualenv.py": ""})
    packages = [
        build_package(workflow, file, environment(tmp_path / site), Target()).package
        for site in ("with", "without")
    ]
    manifests = [json.loads(package.entries[0].data) for package in packages]
    assert [manifest.get("virtualenv") for manifest in manifests] == [True, None]
    assert packages[0].load_hash != packages[1].load_hash


def test_the_same_input_gives_the_same_bytes_anywhere(tmp_path: Path) -> None:
    first = build(tmp_path / "one")
    second = build(tmp_path / "two")
    os.utime(tmp_path / "two" / "dag.py", (1, 1))
    assert first.package == second.package
    assert zipped(build(tmp_path / "two").package) == zipped(first.package)


def test_the_directory_of_a_zip_has_every_file_at_its_place(tmp_path: Path) -> None:
    result = build(tmp_path, {"dag.py": "import helper\n", "helper.py": "# ü\n" * 1000})
    data = zipped(result.package)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        listed = archive.infolist()
        assert len({info.filename for info in listed}) == len(listed)
        assert {entry.path: entry.data for entry in result.package.entries}.items() <= {
            name: archive.read(name) for name in archive.namelist()
        }.items()
    buffer = io.BytesIO(data)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("more", "it can be added to")
    assert zipfile.ZipFile(buffer).testzip() is None


def test_the_hash_is_about_content(tmp_path: Path) -> None:
    first = build(tmp_path / "one")
    changed = build(tmp_path / "two", {**FILES, "helper.py": "x = 2\n"})
    unused = build(tmp_path / "three", {**FILES, "unused.py": "y = 1\n"})
    assert changed.package.tree_hash != first.package.tree_hash
    assert unused.package.tree_hash == first.package.tree_hash


def test_the_hash_of_a_tree() -> None:
    one, two = Entry("a", b"x"), Entry("b", b"y")
    assert tree_hash([one, two]) == tree_hash([two, one])
    assert tree_hash([one]) != tree_hash([Entry("a", b"x", executable=True)])
    assert tree_hash([Entry("a", b"bc")]) != tree_hash([Entry("ab", b"c")])


def test_modes_and_times_are_fixed(tmp_path: Path) -> None:
    files = {"dag.py": "open(Path(__file__).parent / 'run.sh')\n", "run.sh": "#!/bin/sh\n"}
    write_tree(tmp_path, files)
    (tmp_path / "run.sh").chmod(0o750)
    infos = {info.filename: info for info in opened(build(tmp_path, files)).infolist()}
    assert infos["source/run.sh"].external_attr >> 16 == 0o100755
    assert infos["source/dag.py"].external_attr >> 16 == 0o100644
    assert {info.date_time for info in infos.values()} == {(1980, 1, 1, 0, 0, 0)}
    assert {info.create_system for info in infos.values()} == {3}


def test_findings_name_the_dag_and_the_file_as_typed(tmp_path: Path) -> None:
    files = {"dag.py": "import helper\n", "helper.py": "\nimport pandas\nfrom . import y\n"}
    (finding,) = [each for each in build(tmp_path, files, dag_id="etl").findings if each.id == "OB401"]
    assert (finding.dag_id, finding.file, finding.line) == ("etl", "dags/helper.py", 2)


def test_code_without_user_code_is_small(tmp_path: Path) -> None:
    assert len(zipped(build(tmp_path, {"dag.py": ""}).package)) <= 300 * 1024
