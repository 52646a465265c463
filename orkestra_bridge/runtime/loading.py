"""The unpacked package: its manifest, and its DAG file loaded through the facade as an Airflow worker would load it."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.errors import RuntimeSetupError
from orkestra_bridge.runtime.masking import MASKER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

FACADE = os.path.join(os.path.dirname(__file__), "facade")


def read_manifest(task_root: str) -> dict[str, Any]:
    """Return the manifest of the package; raises RuntimeSetupError if it is missing or of another format."""
    try:
        with open(os.path.join(task_root, "manifest.json"), encoding="utf-8") as stream:
            manifest: dict[str, Any] = json.load(stream)
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
    source = os.path.join(task_root, manifest["source"])
    prepare_path(source, [os.path.join(task_root, folder) for folder in manifest.get("path", ())])
    if manifest.get("working_directory"):
        # Where code reads files by relative paths, as it did where the DAG was loaded.
        home = os.path.join(task_root, manifest["working_directory"])
        if os.path.isdir(home):
            os.chdir(home)
    importlib.import_module("airflow._impl.settings").configure(
        version=workflow["airflow_version"],
        dags_folder=source,
        virtualenv=manifest.get("virtualenv", False),
    )
    # Airflow 2 masks secrets of any length.
    MASKER.minimum = 1 if workflow["airflow_version"].startswith("2.") else 5
    module = _execute(os.path.join(source, manifest["dag_file"]), manifest["dag_file"])
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


def prepare_path(source: str, more: Sequence[str] = ()) -> None:
    """Put the facade, the source folder and more folders first on ``sys.path``, in this order."""
    entries = list(dict.fromkeys((FACADE, source, *more)))
    sys.path[:] = entries + [entry for entry in sys.path if entry not in entries]


def _execute(path: str, relative: str) -> ModuleType:
    from hashlib import sha1

    # The name that Airflow gives to DAG files; classes of the file are found again under it when XComs are decoded.
    digest = sha1(relative.encode(), usedforsecurity=False).hexdigest()
    name = f"unusual_prefix_{digest}_{os.path.splitext(os.path.basename(path))[0]}"
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
