"""A note for local runs: which Pythons of this machine a DAG was converted with. It is no part of the DAG's output.

It stands among the runs in OUT, and names the Python that has the DAG's Airflow, and those that tasks name by their path.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orkestra_bridge.frontend.interpreters import path_of

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Workflow

RUNS = ".runs"
"""Below OUT, what has to do with runs on this machine."""
FOLDER = f"{RUNS}/.pythons"
_AIRFLOW, _TASKS = "airflow", "tasks"


def note_path(dag_id: str) -> str:
    """Return where a DAG's note is, relative to OUT."""
    return f"{FOLDER}/{dag_id}.json"


def note_of(workflow: Workflow, parsed_with: Path, root: Path) -> bytes | None:
    """Return the note of a DAG, None if it has no tasks that need it.

    ``parsed_with`` is the Python with its Airflow, ``root`` the folder to which paths in the workflow are relative.
    """
    named = {
        task.container.environment.name: str(root / path_of(task))
        for task in workflow.tasks
        if task.container and task.container.environment and task.interpreter
    }
    if not named and not any(task.container and task.container.airflow for task in workflow.tasks):
        return None
    return json.dumps({_AIRFLOW: str(parsed_with), _TASKS: named}, sort_keys=True).encode()


def airflow_python(out: Path, dag_id: str) -> Path | None:
    """Return the Python that has a DAG's Airflow, None if nobody knows or it is gone."""
    return _there(_read(out, dag_id).get(_AIRFLOW))


def named_python(out: Path, dag_id: str, environment: str) -> Path | None:
    """Return the Python that a task names and that the environment of this name is a copy of, None if it is gone."""
    return _there((_read(out, dag_id).get(_TASKS) or {}).get(environment))


def _read(out: Path, dag_id: str) -> dict[str, Any]:
    try:
        found = json.loads((out / note_path(dag_id)).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _there(path: object) -> Path | None:
    return Path(path) if isinstance(path, str) and Path(path).is_file() else None
