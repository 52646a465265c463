"""What Airflow finds around it in a container: its settings, its folders, and where the task's modules are."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

BACKEND = "orkestra_bridge.runtime.real.secrets.Values"
_made: list[str] = []


def settle(task_root: str, manifest: Mapping[str, Any]) -> Path:
    """Set the environment variables that Airflow reads when it is imported, and the path; return the DAG folder.

    A setting that the image or the template has already made stays.
    """
    root = Path(task_root)
    source = root / str(manifest["source"])
    folders = [root / folder for folder in manifest.get("path", ())]
    for name, value in _settings(source, folders, manifest["workflow"]["airflow_version"]).items():
        os.environ.setdefault(name, value)
    wanted = list(dict.fromkeys(map(str, (source, *folders))))
    sys.path[:] = wanted + [entry for entry in sys.path if entry not in wanted]
    working = manifest.get("working_directory")
    if working and (root / working).is_dir():
        os.chdir(root / working)
    return source


def leave_nothing() -> None:
    """Remove what `settle` has made; the process runs one task, and may be killed once that has been answered."""
    for folder in _made:
        shutil.rmtree(folder, ignore_errors=True)


def _scratch() -> str:
    folder = tempfile.mkdtemp(prefix="airflow-")
    _made.append(folder)
    return folder


def _settings(source: Path, folders: list[Path], version: str) -> dict[str, str]:
    home = os.environ.get("AIRFLOW_HOME") or _scratch()
    plugins = next((str(folder) for folder in folders if folder.name == "plugins"), f"{home}/plugins")
    database = f"sqlite:///{home}/airflow.db" if version.startswith("2.") else "sqlite://"
    return {
        "AIRFLOW_HOME": home,
        "AIRFLOW__CORE__DAGS_FOLDER": str(source),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": plugins,
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__CORE__EXECUTOR": "SequentialExecutor" if version.startswith("2.") else "LocalExecutor",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
        "AIRFLOW__SECRETS__BACKEND": BACKEND,
        "AIRFLOW__WORKERS__SECRETS_BACKEND": BACKEND,
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "SCARF_ANALYTICS": "false",
    }
