"""`airflow.configuration.conf`: what AIRFLOW__SECTION__KEY variables say, over the few defaults that DAG files read."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import Any

from airflow._impl.exceptions import AirflowConfigException
from airflow._impl.module_loading import import_string
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
    ("kubernetes_executor", "namespace"): "default",
    ("kubernetes_executor", "worker_container_repository"): "",
    ("kubernetes_executor", "worker_container_tag"): "",
    ("webserver", "base_url"): "http://localhost:8080",
    ("api", "base_url"): "http://localhost:8080",
    ("state_store", "clear_on_success"): "False",
    ("state_store", "default_retention_days"): "30",
    ("state_store", "max_value_storage_bytes"): "65535",
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

    def gettimedelta(self, section: str, key: str, fallback: Any = None, **_kwargs: Any) -> Any:
        found = self.get(section, key, fallback)
        return timedelta(seconds=int(found)) if isinstance(found, str) else found

    def getimport(self, section: str, key: str, **kwargs: Any) -> Any:
        """Return the object that an option names; raises AirflowConfigException if it cannot be imported."""
        path = self.get(section, key, kwargs.get("fallback"))
        if not path:
            return None
        try:
            return import_string(path)
        except ImportError as error:
            raise AirflowConfigException(
                f"[{section}/{key}] names {path!r}, which is not here: {error}"
            ) from error

    def getenum(self, section: str, key: str, enum_class: Any, **kwargs: Any) -> Any:
        return enum_class[self.get(section, key, **kwargs)]

    def get_mandatory_value(self, section: str, key: str, **kwargs: Any) -> str:
        """Return an option as text; raises ValueError for one that is None."""
        found = self.get(section, key, **kwargs)
        if found is None:
            raise ValueError(f"The value {section}/{key} should be set!")
        return str(found)

    def getsection(self, section: str, *_args: Any) -> dict[str, Any] | None:
        """Return the options of a section that are set, None if there is none."""
        prefix = f"AIRFLOW__{section.replace('.', '_').upper()}__"
        found: dict[str, Any] = {key: value for (name, key), value in _DEFAULTS.items() if name == section}
        for name, value in os.environ.items():
            if name.startswith(prefix):
                found[name.removeprefix(prefix).lower()] = value
        return found or None

    def has_option(self, section: str, option: str, **_kwargs: Any) -> bool:
        return self._find(section, option) is not None


conf = AirflowConfigParser()
PLUGINS_FOLDER = ""
AIRFLOW_HOME = os.environ.get("AIRFLOW_HOME", "/tmp/airflow")  # noqa: S108  # the only place that Lambda can write to


def get_airflow_home() -> str:
    return AIRFLOW_HOME


def __getattr__(name: str) -> str:
    # Looked up late: the folder is only known when a package is loaded.
    if name == "DAGS_FOLDER":
        return SETTINGS.dags_folder
    raise AttributeError(name)
