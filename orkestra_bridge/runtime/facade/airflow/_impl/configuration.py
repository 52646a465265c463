"""`airflow.configuration.conf`: what AIRFLOW__SECTION__KEY variables say, over the few defaults that DAG files read."""

from __future__ import annotations

import json
import os
from typing import Any

from airflow._impl.exceptions import AirflowConfigException
from airflow._impl.settings import SETTINGS

_UNSET: Any = object()

_DEFAULTS = {
    ("core", "default_timezone"): "utc",
    ("core", "executor"): "LocalExecutor",
    ("core", "load_examples"): "False",
    ("core", "parallelism"): "32",
    ("core", "max_active_tasks_per_dag"): "16",
    ("core", "max_active_runs_per_dag"): "16",
    ("core", "dagbag_import_timeout"): "30.0",
    ("core", "default_task_retries"): "0",
    ("core", "unit_test_mode"): "False",
    ("operators", "default_owner"): "airflow",
    ("operators", "default_queue"): "default",
    ("operators", "default_deferrable"): "false",
    ("webserver", "base_url"): "http://localhost:8080",
    ("api", "base_url"): "http://localhost:8080",
}

_TRUE = ("t", "true", "1")
_FALSE = ("f", "false", "0")


class AirflowConfigParser:
    """Reads options by section and key."""

    def _find(self, section: str, key: str) -> str | None:
        section, key = section.lower(), key.lower()
        name = f"AIRFLOW__{section.replace('.', '_').upper()}__{key.upper()}"
        if name in os.environ:
            return os.environ[name]
        if (section, key) == ("core", "dags_folder"):
            return SETTINGS.dags_folder
        return _DEFAULTS.get((section, key))

    def get(self, section: str, key: str, fallback: Any = _UNSET, **_kwargs: Any) -> Any:
        """Return an option as text; raises AirflowConfigException if it is not known and there is no fallback."""
        found = self._find(section, key)
        if found is not None:
            return found
        if fallback is not _UNSET:
            return fallback
        raise AirflowConfigException(
            f"section/key [{section}/{key}] not found in config; "
            f"set AIRFLOW__{section.upper()}__{key.upper()} or pass a fallback"
        )

    def getboolean(self, section: str, key: str, fallback: Any = _UNSET, **_kwargs: Any) -> Any:
        found = self.get(section, key, fallback)
        text = str(found).split("#")[0].strip().lower()
        if found is fallback and not isinstance(found, str):
            return found
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
        raise AirflowConfigException(f"[{section}/{key}] is {found!r}, which is no boolean")

    def getint(self, section: str, key: str, fallback: Any = _UNSET, **_kwargs: Any) -> Any:
        found = self.get(section, key, fallback)
        return int(found) if isinstance(found, str) else found

    def getfloat(self, section: str, key: str, fallback: Any = _UNSET, **_kwargs: Any) -> Any:
        found = self.get(section, key, fallback)
        return float(found) if isinstance(found, str) else found

    def getjson(self, section: str, key: str, fallback: Any = _UNSET, **_kwargs: Any) -> Any:
        found = self.get(section, key, fallback)
        return json.loads(found) if isinstance(found, str) else found

    def getlist(
        self, section: str, key: str, fallback: Any = _UNSET, delimiter: str = ",", **_kwargs: Any
    ) -> Any:
        found = self.get(section, key, fallback)
        return [part.strip() for part in found.split(delimiter)] if isinstance(found, str) else found

    def has_option(self, section: str, option: str, **_kwargs: Any) -> bool:
        return self._find(section, option) is not None


conf = AirflowConfigParser()
AIRFLOW_HOME = os.environ.get("AIRFLOW_HOME", "/tmp/airflow")  # noqa: S108  # the only place that Lambda can write to


def get_airflow_home() -> str:
    return AIRFLOW_HOME
