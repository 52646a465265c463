"""How much of what real DAG files import the facade has.

`tests/data/facade/imports.txt` counts the files that import a name: in Airflow's example DAGs of both majors, in the
system tests of the amazon provider, and in eleven public repositories; only names that Airflow 2.11 or 3.3 have. Provider
packages are not in it: they are installed as they are.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from orkestra_bridge.operators.refused import BY_BASE

pytestmark = pytest.mark.usefixtures("facade")

LIST = Path(__file__).parents[2] / "data" / "facade" / "imports.txt"
FLOOR = 0.99
"""Of names that a task can use; others are refused (sub-DAGs, a file on a shared disk, a person) or need the database."""
IMPORTABLE = 0.99
"""Of names that can be imported, so that what else is in the file runs; preflight names those that cannot be used."""


def wanted() -> list[tuple[int, str, str]]:
    """Return (files, module, name) of each import; the name is empty for ``import module``."""
    rows = [line.split(" ") for line in LIST.read_text(encoding="utf-8").splitlines()]
    return [(int(row[0]), row[1], row[2] if len(row) > 2 else "") for row in rows]


def offers(settings: Any, module: str, name: str) -> bool:
    """Return True if a task can use the name: one that can only be imported does not count."""
    if name in BY_BASE:
        return False
    for version in ("3.3.2", "2.11.2"):
        settings.configure(version=version, dags_folder="")
        try:
            found = import_module(module)
            value = getattr(found, name) if name else found
        except (ImportError, AttributeError):
            continue
        home = getattr(value, "__module__", "") or ""
        return home.rpartition(".")[2] not in ("absent", "refused")
    return False


def test_nearly_everything_that_is_imported_is_there(facade: Any) -> None:
    rows = wanted()
    lacking = [row for row in rows if not offers(facade, row[1], row[2])]
    share = 1 - sum(row[0] for row in lacking) / sum(row[0] for row in rows)
    assert share >= FLOOR, (share, lacking)


def importable(settings: Any, module: str, name: str) -> bool:
    """Return True if one of the majors' files loads with this import."""
    for version in ("3.3.2", "2.11.2"):
        settings.configure(version=version, dags_folder="")
        try:
            found = import_module(module)
            getattr(found, name or "__name__")
        except (ImportError, AttributeError):
            continue
        return True
    return False


def test_files_load_with_nearly_everything_that_is_imported(facade: Any) -> None:
    rows = wanted()
    lacking = [row for row in rows if not importable(facade, row[1], row[2])]
    share = 1 - sum(row[0] for row in lacking) / sum(row[0] for row in rows)
    assert share >= IMPORTABLE, (share, lacking)
    assert not importable(facade, "airflow.models", "Nothing")


def test_a_name_that_is_not_there_would_be_noticed(facade: Any) -> None:
    assert offers(facade, "airflow.models", "Variable")
    assert not offers(facade, "airflow.models", "DagModel")
    assert not offers(facade, "airflow.sensors.filesystem", "FileSensor")
    assert not offers(facade, "airflow.operators.python", "Nothing")
