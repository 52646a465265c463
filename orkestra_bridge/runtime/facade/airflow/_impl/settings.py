"""What the facade has to know about the package it serves; set once per process, before the DAG file is loaded."""

from __future__ import annotations

import sys
from typing import Any, final

EXAMPLES = "airflow.example_dags"
"""Airflow's own examples import what stands beside them by this name; in a package that is the DAG folder."""
_KEPT = "airflow._impl"


@final
class Settings:
    """Settings of the process.

    Attributes:
        version: The Airflow whose behaviour is imitated, such as ``3.3.2``.
        dags_folder: Absolute folder that Airflow would have as its DAGs folder.
        dags: DAGs that were entered with ``with`` or made by ``@dag`` while the DAG file was loaded.
        virtualenv: True if `virtualenv` was installed where the DAG was parsed.
        absent: (path, name, (file, line)) of names that were imported and only fail when they are used.
    """

    def __init__(self) -> None:
        self.version = "3.0.0"
        self.dags_folder = ""
        self.virtualenv = False
        self.dags: list[Any] = []
        self.absent: list[Any] = []

    @property
    def major(self) -> int:
        """Return the Airflow major version, 2 or 3."""
        return int(self.version.split(".", 1)[0])

    def at_least(self, major: int, minor: int) -> bool:
        """Return True if the imitated Airflow is this version or a later one."""
        parts = self.version.split(".")
        return (int(parts[0]), int("".join(c for c in parts[1] if c.isdigit()) or 0)) >= (major, minor)


SETTINGS = Settings()


def _forget(package: str) -> None:
    """Unload the served modules of a package, but for `airflow` itself."""
    if package not in sys.modules:
        return
    below = f"{package}."
    for path in [name for name in sys.modules if name.startswith(package)]:
        if path != "airflow" and f"{path}.".startswith(below) and not path.startswith(_KEPT):
            del sys.modules[path]
            vars(sys.modules["airflow"]).pop(path.split(".")[1], None)


def configure(*, version: str, dags_folder: str, virtualenv: bool = False) -> None:
    """Set what is imitated and forget the DAGs of an earlier load."""
    if version.split(".", 1)[0] != str(SETTINGS.major):
        _forget("airflow")  # the other major has other ones
    _forget(EXAMPLES)  # of the package before
    SETTINGS.version = version
    SETTINGS.dags_folder = dags_folder
    SETTINGS.virtualenv = virtualenv
    SETTINGS.dags.clear()
    SETTINGS.absent.clear()
