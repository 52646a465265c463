from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from orkestra_bridge.frontend.cache import AnswerCache
from orkestra_bridge.frontend.model import DagFile, Environment
from orkestra_bridge.frontend.worker_digests import environ_digest, file_digest, folder_digest

NAME = "ORKESTRA_TEST_CACHE"


@pytest.fixture
def file(tmp_path: Path) -> DagFile:
    root = tmp_path / "dags"
    (root / "sql").mkdir(parents=True)
    (root / "etl.py").write_text("dag")
    (root / "lib.py").write_text("helper")
    return DagFile(root=root, relative="etl.py", display="dags/etl.py")


def environment(**changes: Any) -> Environment:
    fields: dict[str, Any] = {
        "python": Path("/venv/bin/python"),
        "python_version": "3.11.1",
        "airflow_version": "3.0.0",
        "site_packages": (),
    }
    return Environment(**{**fields, **changes})


def answer(file: DagFile, **changes: Any) -> dict[str, Any]:
    inputs = {
        "files": {
            str(file.root / name): file_digest(str(file.root / name))
            for name in ("etl.py", "lib.py", "absent.py")
        },
        "folders": {str(file.root / "sql"): folder_digest(str(file.root / "sql"))},
        "environ": {NAME: environ_digest(NAME)},
        "repeatable": True,
    }
    return {
        "dags": [],
        "problems": [],
        "variables": [],
        "connections": [],
        "inputs": inputs,
        "timed_out": False,
        **changes,
    }


def keep(file: DagFile, folder: Path, env: Environment, **changes: Any) -> None:
    with closing(AnswerCache(folder, env)) as cache:
        cache.keep(file, answer(file, **changes))


def kept(file: DagFile, folder: Path, **changes: Any) -> bool:
    keep(file, folder, environment(), **changes)
    return found(file, folder)


def found(file: DagFile, folder: Path, env: Environment | None = None) -> bool:
    with closing(AnswerCache(folder, env or environment())) as cache:
        return cache.find(file) is not None


def test_unchanged_is_found(file: DagFile, tmp_path: Path) -> None:
    assert not found(file, tmp_path / "cache")
    assert kept(file, tmp_path / "cache")


def test_each_input_counts(file: DagFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    assert kept(file, cache)
    (file.root / "lib.py").write_text("changed")
    assert not found(file, cache)
    assert kept(file, cache)
    (file.root / "absent.py").write_text("now it is there")
    assert not found(file, cache)
    assert kept(file, cache)
    (file.root / "sql" / "new.sql").write_text("select 1")
    assert not found(file, cache)
    assert kept(file, cache)
    monkeypatch.setenv(NAME, "set")
    assert not found(file, cache)
    assert kept(file, cache)
    (file.root / "etl.py").write_text("dag 2")
    assert not found(file, cache)


def test_key_holds_environment_variables_and_versions(
    file: DagFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    assert kept(file, cache)
    assert not found(file, cache, environment(airflow_version="3.0.1"))
    assert not found(file, cache, environment(python_version="3.12.0"))
    site = tmp_path / "site-packages"
    site.mkdir()
    with_site = environment(site_packages=(site,))
    keep(file, cache, with_site)
    assert found(file, cache, with_site)
    os.utime(site, ns=(1, 1))  # what installing a distribution does
    assert not found(file, cache, with_site)
    monkeypatch.setenv("AIRFLOW_VAR_BUCKET", "b")
    assert not found(file, cache)


def test_answers_that_may_differ_next_time_are_not_kept(file: DagFile, tmp_path: Path) -> None:
    assert not kept(file, tmp_path / "a", timed_out=True)
    assert not kept(file, tmp_path / "b", inputs={**answer(file)["inputs"], "repeatable": False})


def test_damaged_or_unwritable_cache_is_an_empty_one(file: DagFile, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert kept(file, cache)
    with closing(sqlite3.connect(cache / "frontend.db", isolation_level=None)) as answers:
        answers.execute("update kept set value = '{'")
    assert not found(file, cache)
    (cache / "frontend.db").write_text("{")
    assert not found(file, cache)
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert not kept(file, blocked)


def test_names_in_a_folder_count_but_not_compiled_files(tmp_path: Path) -> None:
    before = folder_digest(str(tmp_path))
    (tmp_path / "__pycache__").mkdir()
    assert folder_digest(str(tmp_path)) == before
    assert folder_digest(str(tmp_path / "absent")) is None


def test_all_of_the_environment_leaves_out_what_differs_in_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    before = environ_digest("*")
    monkeypatch.setenv("AIRFLOW_HOME", "/elsewhere")
    assert environ_digest("*") == before
    monkeypatch.setenv(NAME, "1")
    assert environ_digest("*") != before
