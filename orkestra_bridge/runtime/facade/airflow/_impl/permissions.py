"""Names of permissions that DAG files give to ``access_control`` (`airflow/security/permissions.py`, Airflow 2)."""

from __future__ import annotations

ACTION_CAN_ACCESS_MENU = "menu_access"
ACTION_CAN_CREATE = "can_create"
ACTION_CAN_DELETE = "can_delete"
ACTION_CAN_EDIT = "can_edit"
ACTION_CAN_READ = "can_read"
RESOURCE_DAG = "DAGs"
RESOURCE_DAG_PREFIX = "DAG:"
RESOURCE_DAG_RUN = "DAG Runs"
RESOURCE_WEBSITE = "Website"


def resource_name_for_dag(root_dag_id: str) -> str:
    """Return the name of a DAG as a resource."""
    return root_dag_id if root_dag_id in ("", RESOURCE_DAG) else f"{RESOURCE_DAG_PREFIX}{root_dag_id}"
