"""The local files that a DAG file needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packages import dag_file, write_tree

from orkestra_bridge.packaging.closure import local_closure

if TYPE_CHECKING:
    from pathlib import Path

    from orkestra_bridge.packaging.model import Closure


def closure_of(root: Path, files: dict[str, str], *extra: str) -> Closure:
    return local_closure(dag_file(write_tree(root, files)), extra)


def test_only_what_is_imported_is_taken(tmp_path: Path) -> None:
    found = closure_of(
        tmp_path,
        {
            "dag.py": "import helpers.dates\nfrom tools import read\n",
            "helpers/__init__.py": "",
            "helpers/dates.py": "from . import zones\n",
            "helpers/zones.py": "",
            "helpers/unused.py": "",
            "tools.py": "",
            "other_dag.py": "import helpers.unused\n",
        },
    )
    assert found.files == (
        "dag.py",
        "helpers/__init__.py",
        "helpers/dates.py",
        "helpers/zones.py",
        "tools.py",
    )
    assert found.findings == ()
    assert found.imports == ()


def test_submodules_named_in_from_imports_are_taken(tmp_path: Path) -> None:
    found = closure_of(
        tmp_path,
        {
            "dag.py": "def f():\n    from pkg import module, attribute\n    from pkg.sub import *\n",
            "pkg/__init__.py": "attribute = 1\n",
            "pkg/module.py": "",
            "pkg/sub/__init__.py": "from .deep import x\n",
            "pkg/sub/deep.py": "from ..sibling import y\n",
            "pkg/sibling.py": "",
        },
    )
    assert found.files == (
        "dag.py",
        "pkg/__init__.py",
        "pkg/module.py",
        "pkg/sibling.py",
        "pkg/sub/__init__.py",
        "pkg/sub/deep.py",
    )


def test_namespace_packages(tmp_path: Path) -> None:
    found = closure_of(
        tmp_path,
        {
            "dag.py": "from team.etl import load\n",
            "team/etl/load.py": "import team.etl.more\n",
            "team/etl/more.py": "",
        },
    )
    assert found.files == ("dag.py", "team/etl/load.py", "team/etl/more.py")


def test_a_folder_without_python_does_not_hide_a_distribution(tmp_path: Path) -> None:
    found = closure_of(tmp_path, {"dag.py": "import sql\n", "sql/a.sql": "select 1"})
    assert [each.module for each in found.imports] == ["sql"]
    assert found.files == ("dag.py",)


def test_a_namespace_package_may_go_on_in_a_distribution(tmp_path: Path) -> None:
    files = {"dag.py": "import team.etl.load, team.other.x\n", "team/etl/load.py": ""}
    found = closure_of(tmp_path, files)
    assert found.files == ("dag.py", "team/etl/load.py")
    assert [(each.module, each.lacking) for each in found.imports] == [("team.other.x", "other")]


def test_a_module_of_the_standard_library_wins_over_a_local_one(tmp_path: Path) -> None:
    assert closure_of(tmp_path, {"dag.py": "import json\n", "json.py": ""}).files == ("dag.py",)


def test_airflow_and_the_standard_library_are_no_requirements(tmp_path: Path) -> None:
    source = "import os.path, airflow.sdk\nfrom airflow import x\nimport pandas, pandas.io\nimport pandas\n"
    found = closure_of(tmp_path, {"dag.py": source})
    assert [(each.module, each.place) for each in found.imports] == [
        ("pandas", "dags/dag.py:3"),
        ("pandas.io", "dags/dag.py:3"),
    ]


def test_the_import_that_must_work_is_the_one_reported(tmp_path: Path) -> None:
    source = "try:\n    import yaml\nexcept ImportError:\n    pass\ndef f():\n    import yaml\nimport yaml\n"
    (found,) = closure_of(tmp_path, {"dag.py": source}).imports
    assert (found.line, found.optional, found.deferred) == (7, False, False)


def test_cycles_end(tmp_path: Path) -> None:
    assert closure_of(
        tmp_path, {"dag.py": "import a\n", "a.py": "import b\n", "b.py": "import a, dag\n"}
    ).files == ("a.py", "b.py", "dag.py")


def test_missing_modules_of_a_local_package(tmp_path: Path) -> None:
    found = closure_of(
        tmp_path,
        {
            "dag.py": "import pkg\nimport pkg.gone\nfrom module import x\nimport module.deeper\n",
            "pkg/__init__.py": "from .missing import y\nfrom . import attribute\n",
            "module.py": "",
        },
    )
    assert [
        (finding.id, f"{finding.file}:{finding.line}", finding.message) for finding in found.findings
    ] == [
        ("OB402", "dags/dag.py:2", "import of pkg.gone: pkg has no gone"),
        ("OB402", "dags/dag.py:4", "import of module.deeper: module has no deeper"),
        ("OB402", "dags/pkg/__init__.py:1", "import of .missing: there is no missing here"),
    ]
    assert "gone/__init__.py" in found.findings[0].remedy


def test_optional_missing_modules_are_no_finding(tmp_path: Path) -> None:
    source = "try:\n    import pkg.fast\nexcept ImportError:\n    pass\n"
    assert closure_of(tmp_path, {"dag.py": source, "pkg/__init__.py": ""}).findings == ()


def test_folders_added_to_the_search_path(tmp_path: Path) -> None:
    source = (
        "import os, sys\nsys.path.append(os.path.join(os.path.dirname(__file__), 'lib'))\nimport shared\n"
    )
    found = closure_of(
        tmp_path, {"team/dag.py": source, "dag.py": "import team.dag\n", "team/lib/shared.py": ""}
    )
    assert found.files == ("dag.py", "team/dag.py", "team/lib/shared.py")


def test_a_folder_of_this_machine_on_the_search_path(tmp_path: Path) -> None:
    write_tree(tmp_path / "elsewhere", {"shared.py": ""})
    source = f"import sys\nsys.path.insert(0, {str(tmp_path / 'elsewhere')!r})\nimport shared\n"
    (finding,) = closure_of(tmp_path / "dags", {"dag.py": source}).findings
    assert (finding.id, finding.line) == ("OB403", 3)
    assert "shared" in finding.remedy
    assert str(tmp_path) not in str(finding)


def test_the_name_of_the_dag_folder_as_a_package(tmp_path: Path) -> None:
    (finding,) = closure_of(
        tmp_path / "dags", {"dag.py": "from dags.helpers import x\n", "helpers.py": ""}
    ).findings
    assert finding.id == "OB403"
    assert finding.remedy.startswith("import it as helpers")


def test_data_files_named_from_the_file_are_taken(tmp_path: Path) -> None:
    source = (
        "HERE = Path(__file__).parent\n"
        "open(HERE / 'config.yml')\n"
        "for f in (HERE / 'sql').rglob('*.sql'): ...\n"
        "open(HERE / 'gone.txt')\n"
    )
    files = {
        "dag.py": source,
        "config.yml": "",
        "other.yml": "",
        "sql/a.sql": "",
        "sql/deep/b.sql": "",
        "sql/code.py": "",
        "sql/.hidden": "",
    }
    assert closure_of(tmp_path, files).files == ("config.yml", "dag.py", "sql/a.sql", "sql/deep/b.sql")


def test_template_files_are_taken_and_missing_ones_left_out(tmp_path: Path) -> None:
    found = closure_of(
        tmp_path,
        {"dag.py": "", "sql/a.sql": "", "job.py": "import tool\n", "tool.py": ""},
        "sql/a.sql",
        "job.py",
        "gone.sql",
    )
    assert found.files == ("dag.py", "job.py", "sql/a.sql", "tool.py")


def test_a_local_module_that_is_not_python(tmp_path: Path) -> None:
    (finding,) = closure_of(tmp_path, {"dag.py": "import broken\n", "broken.py": "x = 1\ndef (\n"}).findings
    assert (finding.id, finding.file, finding.line) == ("OB404", "dags/broken.py", 2)


def test_a_compiled_local_module(tmp_path: Path) -> None:
    (finding,) = closure_of(
        tmp_path, {"dag.py": "import fast\n", "fast.cpython-311-x86_64-linux-gnu.so": ""}
    ).findings
    assert (finding.id, finding.line) == ("OB405", 1)


def test_imports_of_helpers_name_the_helper(tmp_path: Path) -> None:
    (found,) = closure_of(tmp_path, {"dag.py": "import h\n", "h.py": "\nimport requests\n"}).imports
    assert found.place == "dags/h.py:2"


def test_airflows_own_examples_bring_what_stands_beside_them(tmp_path: Path) -> None:
    files = {
        "dag.py": "from airflow.example_dags.libs.helper import say\nfrom airflow.example_dags.plugins import own\n",
        "libs/__init__.py": "",
        "libs/helper.py": "def say(): ...\n",
        "plugins/own.py": "",
        "plugins/other.py": "",
    }
    there = closure_of(tmp_path / "airflow" / "example_dags", files)
    assert there.files == ("dag.py", "libs/__init__.py", "libs/helper.py", "plugins/own.py")
    assert closure_of(tmp_path / "dags", files).files == ("dag.py",)
