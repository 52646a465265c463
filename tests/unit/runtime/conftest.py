"""Puts the facade on the import path, as the handler does, and gives tests a DAG file to load."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest

from orkestra_bridge.runtime.handler import Package
from orkestra_bridge.runtime.loading import FACADE, load_dag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

sys.path.insert(0, FACADE)


@pytest.fixture
def facade() -> Iterator[Any]:
    """The facade, imitating Airflow 3.3.2 until a test configures another version."""
    import airflow
    from airflow._impl import settings

    assert FACADE in str(airflow.__file__)
    settings.configure(version="3.3.2", dags_folder="")
    yield settings
    settings.configure(version="3.3.2", dags_folder="")


@pytest.fixture
def unpack(tmp_path: Path, facade: Any) -> Iterator[Callable[..., Package]]:
    """Return a function that makes an unpacked package of one DAG file."""
    path, modules = list(sys.path), set(sys.modules)

    def make(source: str, *, dag_id: str = "d", version: str = "3.3.2", **schedule: Any) -> Package:
        (tmp_path / "source").mkdir(exist_ok=True)
        # Two files of one length within one second look alike to Python's cache of compiled files.
        shutil.rmtree(tmp_path / "source" / "__pycache__", ignore_errors=True)
        (tmp_path / "source" / "dag.py").write_text(source, encoding="utf-8")
        workflow: dict[str, Any] = {
            "dag_id": dag_id,
            "airflow_version": version,
            "schedule": {"kind": "none", **schedule},
            "tasks": [],
        }
        manifest = {"version": 1, "workflow": workflow, "source": "source", "dag_file": "dag.py"}
        dag = load_dag(str(tmp_path), manifest)
        workflow["tasks"] = [
            {
                "task_id": task.task_id,
                "upstream": sorted(task.upstream_task_ids),
                "trigger_rule": str(task.trigger_rule),
                "is_setup": task.is_setup,
                "is_teardown": task.is_teardown,
            }
            for task in dag.tasks
        ]
        (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        return Package(str(tmp_path))

    yield make
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith("unusual_prefix_"):
            del sys.modules[name]
