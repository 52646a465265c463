"""The connection that a hook uses if it is given none: ``default_conn_name`` of its class, read from its source."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

_DEPTH = 8


@lru_cache(maxsize=512)
def default_connection(site_packages: tuple[Path, ...], dotted: str, depth: int = 0) -> str | None:
    """Return the default connection id of ``package.module.Class``, None if it has none or is not found."""
    module, _, name = dotted.rpartition(".")
    tree = _tree(site_packages, module) if module and depth < _DEPTH else None
    if tree is None:
        return None
    imported = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and not node.level
        for alias in node.names
    }
    found = next((node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name), None)
    if found is None:
        return default_connection(site_packages, imported[name], depth + 1) if name in imported else None
    own = _own_default(found)
    if own is not None:
        return own or None
    for base in (each.value if isinstance(each, ast.Subscript) else each for each in found.bases):
        if isinstance(base, ast.Name):
            inherited = imported.get(base.id, f"{module}.{base.id}")
            default = default_connection(site_packages, inherited, depth + 1)
            if default:
                return default
    return None


def _own_default(found: ast.ClassDef) -> str | None:
    for statement in found.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        value = getattr(statement, "value", None)
        if (
            any(isinstance(target, ast.Name) and target.id == "default_conn_name" for target in targets)
            and isinstance(value, ast.Constant)
            and isinstance(value.value, str)
        ):
            return value.value
    return None


@lru_cache(maxsize=256)
def _tree(site_packages: tuple[Path, ...], module: str) -> ast.Module | None:
    relative = Path(*module.split("."))
    for folder in site_packages:
        for path in (folder / relative.with_suffix(".py"), folder / relative / "__init__.py"):
            if path.is_file():
                try:
                    return ast.parse(path.read_bytes())
                except (SyntaxError, ValueError):
                    return None
    return None
