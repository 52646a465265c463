"""`airflow.version`."""

from __future__ import annotations

from airflow._impl.settings import SETTINGS


def __getattr__(name: str) -> str:
    # Looked up late: the version is only known when a package is loaded.
    if name == "version":
        return SETTINGS.version
    raise AttributeError(name)
