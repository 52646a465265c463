"""The worker runs on the user's Python: it may use no newer syntax and nothing of ours or of others."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from orkestra_bridge import frontend

FILES = sorted(Path(next(iter(frontend.__path__))).glob("worker*.py"))


def imported(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add((node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_syntax_is_that_of_python_3_8(path: Path) -> None:
    tree = ast.parse(path.read_text(), feature_version=(3, 8))
    first = next(node for node in tree.body if isinstance(node, ast.ImportFrom))
    assert (first.module, first.names[0].name) == ("__future__", "annotations")
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not called & {"removeprefix", "removesuffix", "pairwise"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_imports_are_the_standard_library_airflow_and_siblings(path: Path) -> None:
    found = imported(ast.parse(path.read_text()))
    assert found <= {*sys.stdlib_module_names, "airflow", "jinja2", "__future__"}


def test_only_the_worker_imports_airflow() -> None:
    others = [path for path in FILES[0].parent.glob("*.py") if path not in FILES]
    assert [path.name for path in others if "airflow" in imported(ast.parse(path.read_text()))] == []
