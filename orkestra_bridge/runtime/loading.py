"""The unpacked package: its manifest, and its DAG file loaded through the facade as an Airflow worker would load it."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.errors import RuntimeSetupError
from orkestra_bridge.runtime.masking import MASKER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

FACADE = Path(__file__).parent / "facade"


def read_manifest(task_root: str) -> dict[str, Any]:
    """Return the manifest of the package; raises RuntimeSetupError if it is missing or of another format."""
    path = Path(task_root) / "manifest.json"
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RuntimeSetupError(
            f"the package has no readable manifest.json: {error}; build it again"
        ) from error
    if manifest.get("version") != 1:
        raise RuntimeSetupError(
            f"manifest version {manifest.get('version')!r} is not known; build the package again"
        )
    return manifest


def load_dag(task_root: str, manifest: dict[str, Any] | None = None) -> Any:
    """Return the facade DAG of an unpacked package.

    Puts the facade and the package's source folders first on ``sys.path``, where they stay: tasks import while they run.

    Raises:
        RuntimeSetupError: If the DAG file no longer makes the DAG of the manifest.
        Exception: Whatever the DAG file raises.
    """
    manifest = manifest or read_manifest(task_root)
    workflow = manifest["workflow"]
    source = Path(task_root) / manifest["source"]
    prepare_path(source, [Path(task_root) / folder for folder in manifest.get("path", ())])
    if manifest.get("working_directory"):
        # Where code reads files by relative paths, as it did where the DAG was loaded.
        home = Path(task_root) / manifest["working_directory"]
        if home.is_dir():
            os.chdir(home)
    importlib.import_module("airflow._impl.settings").configure(
        version=workflow["airflow_version"], dags_folder=str(source)
    )
    # Airflow 2 masks secrets of any length.
    MASKER.minimum = 1 if workflow["airflow_version"].startswith("2.") else 5
    module = _execute(source / manifest["dag_file"], manifest["dag_file"])
    found = find_dags(module)
    if workflow["dag_id"] not in found:
        names = ", ".join(sorted(found)) or "none"
        raise RuntimeSetupError(
            f"{manifest['dag_file']} does not make DAG {workflow['dag_id']!r} here (it makes: {names}); "
            "does it depend on the environment, on Variables or on files that are not in the package?"
        )
    dag = found[workflow["dag_id"]]
    # As DagBag does: templates are looked up beside the DAG file, wherever the DAG object was made.
    dag.fileloc = module.__file__
    return dag


def prepare_path(source: Path, more: Sequence[Path] = ()) -> None:
    """Put the facade, the source folder and more folders first on ``sys.path``, in this order."""
    entries = list(dict.fromkeys(str(entry) for entry in (FACADE, source, *more)))
    sys.path[:] = entries + [entry for entry in sys.path if entry not in entries]


def _execute(path: Path, relative: str) -> ModuleType:
    # The name that Airflow gives to DAG files; classes of the file are found again under it when XComs are decoded.
    digest = hashlib.sha1(relative.encode(), usedforsecurity=False).hexdigest()
    name = f"unusual_prefix_{digest}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise RuntimeSetupError(f"{relative} is not a Python file; build the package again")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def find_dags(module: ModuleType) -> dict[str, Any]:
    """Return dag_id -> DAG of a loaded DAG file: those entered with ``with`` or ``@dag``, and the module's globals."""
    kind = importlib.import_module("airflow._impl.dag").DAG
    registered = importlib.import_module("airflow._impl.settings").SETTINGS.dags
    named = [value for value in vars(module).values() if isinstance(value, kind)]
    entered = [dag for dag in registered if dag.auto_register]
    return {dag.dag_id: dag for dag in [*entered, *named]}


def describe(dag: Any) -> dict[str, dict[str, Any]]:
    """Return task_id -> operator class name and sorted direct upstream ids, to compare with the manifest's workflow."""
    return {
        task_id: {"operator": task.task_type, "upstream": sorted(task.upstream_task_ids)}
        for task_id, task in sorted(dag.task_dict.items())
    }
