"""Variables and connections for Airflow, from where a translated task finds them: its secrets backend in a container."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from orkestra_bridge.runtime.lookup import LOOKUP


def _base() -> Any:
    """Return the class that Airflow wants a backend to have."""
    try:
        return import_module("airflow.sdk.bases.secrets_backend").BaseSecretsBackend
    except ImportError:  # before Airflow 3.2
        return import_module("airflow.secrets").BaseSecretsBackend


class Values(_base()):  # type: ignore[misc]  # which class it is, only the image knows
    """Airflow's secrets backend over `runtime/lookup.py`."""

    def __init__(self, **_settings: Any) -> None:
        super().__init__()

    def get_conn_value(self, conn_id: str, *_team: Any, **_more: Any) -> str | None:
        """Return a connection as a URI or as JSON, None if there is none."""
        return LOOKUP.find("connections", conn_id)

    def get_variable(self, key: str, *_team: Any, **_more: Any) -> str | None:
        """Return a Variable's text, None if there is none."""
        return LOOKUP.find("variables", key)

    def get_config(self, _key: str) -> None:
        """Return None: the configuration is in the environment."""
