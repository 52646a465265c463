"""The stages' imports point one way, and heavy or foreign packages stay where they belong."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parents[1] / "orkestra_bridge"
BASE = {"ir", "diagnostics", "errors", "naming", "options"}
MAY_IMPORT = {
    "ir": set(),
    "asl": {"naming"},
    "project": {"errors", "options"},
    "frontend": BASE | {"kept", "project"},
    "operators": BASE,
    "passes": BASE | {"operators"},
    "lowering": BASE | {"asl", "operators", "runtime"},
    "packaging": BASE | {"frontend", "kept", "runtime"},
    "stack": BASE | {"asl", "lowering", "operators", "runtime"},
    "local": {"errors", "ir", "naming", "runtime", "packaging"},
    "operate": {"errors", "runtime"},
    "runtime": set(),
    "config": {"errors"},
    "assess": BASE
    | {
        "asl",
        "drafting",
        "frontend",
        "lowering",
        "operators",
        "passes",
        "policy",
        "project",
        "report",
        "rulebook",
        "stack",
    },
}
HOMES = {
    "airflow": ("frontend/worker", "runtime/"),
    "aws_cdk": ("stack/cdk.py",),
    "constructs": ("stack/cdk.py",),
    "boto3": ("operate/", "local/", "runtime/"),
    "networkx": (),
    "jsonata": ("asl/check.py", "local/"),
}


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def modules() -> list[str]:
    facade = PACKAGE / "runtime" / "facade"
    return sorted(
        str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if facade not in path.parents
    )


@pytest.mark.parametrize("module", modules())
def test_imports_point_one_way(module: str) -> None:
    stage = module.partition("/")[0]
    if stage not in MAY_IMPORT or module == "stack/cdk.py":
        return
    used = {
        name.split(".")[1] for name in imports_of(PACKAGE / module) if name.startswith("orkestra_bridge.")
    }
    assert used <= MAY_IMPORT[stage] | {stage}


@pytest.mark.parametrize("module", modules())
def test_foreign_packages_stay_at_home(module: str) -> None:
    used = {name.partition(".")[0] for name in imports_of(PACKAGE / module)}
    strangers = [name for name, homes in HOMES.items() if name in used and not module.startswith(homes)]
    assert strangers == []


def test_no_file_and_no_function_is_too_long() -> None:
    long = []
    for module in modules():
        text = (PACKAGE / module).read_text(encoding="utf-8")
        if text.count("\n") > 500:
            long.append(module)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > 70:
                    long.append(f"{module}:{node.name}")
    assert long == []
