"""Tasks that Airflow itself runs, in a container whose image has it: for what the facade cannot stand in for.

Input and output are those of `runtime/execution.py`: an event with the ledger, and the entry of the task or its error.
Nothing of Airflow is imported before a task needs it, and the facade is never on the path of such a process. There is no
metadata database behind it: Airflow 3's task code asks a supervisor, who is played here, and Airflow 2's gets a database
of its own that lives as long as the container.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def runs_in_airflow(workflow: Mapping[str, Any], task_id: str) -> bool:
    """Return True if the manifest wants Airflow itself to run a task."""
    found = (each.get("container") for each in workflow["tasks"] if each["task_id"] == task_id)
    return bool((next(found, None) or {}).get("airflow"))
