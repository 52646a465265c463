"""Which distribution a module that is not installed would come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# Import names whose distribution is called something else.
_RENAMED = {
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyOpenSSL",
    "PIL": "Pillow",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "git": "GitPython",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "ldap": "python-ldap",
    "magic": "python-magic",
    "psycopg2": "psycopg2-binary",
    "pkg_resources": "setuptools",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slack": "slackclient",
    "snowflake": "snowflake-connector-python",
    "yaml": "PyYAML",
}
# The folders of a provider that end its name: airflow.providers.microsoft.azure.hooks.wasb.
_PROVIDER_PARTS = frozenset(
    [
        "decorators",
        "executors",
        "get_provider_info",
        "hooks",
        "io",
        "links",
        "log",
        "notifications",
        "operators",
        "secrets",
        "sensors",
        "timetables",
        "transfers",
        "triggers",
        "utils",
        "version",
        "example_dags",
    ]
)


def distribution_for(module: str) -> str:
    """Return the most likely distribution of a module.

    A provider for ``airflow.providers...``, "" for other Airflow ones.
    """
    parts = module.split(".")
    if parts[:2] == ["airflow", "providers"]:
        name = []
        for part in parts[2:]:
            if part in _PROVIDER_PARTS:
                break
            name.append(part.replace("_", "-"))
        return "-".join(["apache-airflow-providers", *name]) if name else ""
    if parts[0] == "airflow":
        return ""
    if parts[0] == "google" and len(parts) > 2:
        return f"google-{parts[1]}-{parts[2]}".replace("_", "-")
    return _RENAMED.get(parts[0], parts[0].replace("_", "-"))


def import_remedy(record: Mapping[str, Any]) -> str:
    """Return what to do about an import record of the worker's."""
    module = record["module"]
    if record["local"]:
        return "define the name in that module, or correct the import"
    if not record["absent"] or not module:
        return "install the version of the library that the DAG was written for"
    if record["nearby"]:
        folder = record["nearby"].replace("/", ".")
        return f"imports start at the DAG folder: import {folder}.{module}, or convert that folder on its own"
    if record["stdlib"]:
        return "use the Python version that the DAG was written for (--airflow-python)"
    distribution = distribution_for(module)
    if not distribution:
        return "this Airflow has no such module: name the DAG's own version with --airflow-version"
    return (
        f"install {distribution} where Airflow is installed, or list it in --requirements; "
        "a module of your own belongs in the DAG folder, or in a folder that --pythonpath names"
    )
