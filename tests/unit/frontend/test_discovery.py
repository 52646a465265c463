from __future__ import annotations

from pathlib import Path

import pytest

from orkestra_bridge.errors import UsageError
from orkestra_bridge.frontend.discovery import discover, ignore_syntax
from orkestra_bridge.frontend.model import Environment

DAG = "from airflow import DAG\n"


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def names(root: Path, syntax: str = "glob") -> list[str]:
    found = discover([root], syntax="regexp" if syntax == "regexp" else "glob")
    return [file.relative for file in found.files]


def test_folder_is_searched_as_airflow_does(tmp_path: Path) -> None:
    tree(
        tmp_path,
        {
            "b.py": DAG,
            "a.py": DAG,
            "team/c.py": DAG,
            ".hidden/d.py": DAG,
            "asset.py": "from Airflow import ASSET",
            "helper.py": "def work(): ...",
            "airflow_only.py": "import airflow",
            "notes.txt": DAG,
            "__pycache__/a.py": DAG,
        },
    )
    assert names(tmp_path) == [".hidden/d.py", "a.py", "asset.py", "b.py", "team/c.py"]


def test_paths_are_shown_as_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, {"dags/team/c.py": DAG})
    monkeypatch.chdir(tmp_path)
    file = discover([Path("dags")]).files[0]
    assert (file.display, file.relative, file.root) == ("dags/team/c.py", "team/c.py", tmp_path / "dags")
    assert file.shown("lib/x.py") == "dags/lib/x.py"
    assert file.path == tmp_path / "dags/team/c.py"


def test_named_file_is_always_taken_and_its_folder_is_the_root(tmp_path: Path) -> None:
    tree(tmp_path, {"plain.py": "x = 1", ".airflowignore": "*"})
    found = discover([tmp_path / "plain.py"])
    assert [(file.root, file.relative) for file in found.files] == [(tmp_path, "plain.py")]
    assert not found.findings


def test_file_that_is_reached_twice_is_loaded_once(tmp_path: Path) -> None:
    tree(tmp_path, {"a.py": DAG})
    assert len(discover([tmp_path, tmp_path / "a.py"]).files) == 1


def test_missing_path_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        discover([tmp_path / "nowhere"])


def test_empty_folder_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (finding,) = discover([tmp_path]).findings
    assert (finding.id, finding.severity.value, finding.file) == ("OB118", "error", tmp_path.as_posix())
    assert "airflow" in finding.remedy


@pytest.mark.parametrize(("name", "remedy"), [("dags.zip", "unpack"), ("notes.txt", ".py")])
def test_other_files_are_refused(tmp_path: Path, name: str, remedy: str) -> None:
    (tmp_path / name).write_bytes(b"PK")
    found = discover([tmp_path / name])
    assert not found.files
    assert [(finding.id, remedy in finding.remedy) for finding in found.findings] == [("OB119", True)]


def test_virtual_environments_and_loops_are_left_out(tmp_path: Path) -> None:
    tree(tmp_path, {"a.py": DAG, ".venv/pyvenv.cfg": "", ".venv/lib/x.py": DAG})
    (tmp_path / "again").symlink_to(tmp_path, target_is_directory=True)
    assert names(tmp_path) == ["a.py"]


def test_glob_patterns_hold_from_their_folder_downwards(tmp_path: Path) -> None:
    tree(
        tmp_path,
        {
            ".airflowignore": "# old ones\n*_old.py\n/build/\nteam/skip.py  # not yet\n!keep_old.py\n",
            "a.py": DAG,
            "a_old.py": DAG,
            "keep_old.py": DAG,
            "build/x.py": DAG,
            "team/build/x.py": DAG,
            "team/skip.py": DAG,
            "skip.py": DAG,
            "team/.airflowignore": "inner_*.py\n",
            "team/inner_1.py": DAG,
            "inner_1.py": DAG,
        },
    )
    assert names(tmp_path) == ["a.py", "inner_1.py", "keep_old.py", "skip.py", "team/build/x.py"]


def test_regular_expressions_are_searched_in_the_path(tmp_path: Path) -> None:
    tree(
        tmp_path,
        {
            ".airflowignore": "old\nteam/sk.p\n*_bad\n",
            "a.py": DAG,
            "an_old_one.py": DAG,
            "team/skip.py": DAG,
            "skip.py": DAG,
            "x_bad.py": DAG,
        },
    )
    assert names(tmp_path, "regexp") == ["a.py", "skip.py", "x_bad.py"]
    (finding,) = discover([tmp_path], syntax="regexp").findings
    assert (finding.id, finding.line, finding.severity.value) == ("OB123", 3, "warning")
    assert "'*_bad'" in finding.message


@pytest.mark.parametrize(
    ("version", "setting", "syntax"),
    [
        ("2.11.0", None, "regexp"),
        ("3.0.1", None, "glob"),
        ("2.11.0", "glob", "glob"),
        ("3.0.1", "other", "glob"),
    ],
)
def test_syntax_is_airflows_unless_it_is_configured(
    version: str, setting: str | None, syntax: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW__CORE__DAG_IGNORE_FILE_SYNTAX", raising=False)
    if setting:
        monkeypatch.setenv("AIRFLOW__CORE__DAG_IGNORE_FILE_SYNTAX", setting)
    environment = Environment(
        python=Path("p"), python_version="3.11", airflow_version=version, site_packages=()
    )
    assert ignore_syntax(environment) == syntax
