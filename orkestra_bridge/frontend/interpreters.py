"""What the interpreters have that DAGs name by their path: ExternalPythonOperator's and @task.external_python's.

Each is asked once for each conversion, and the answer is not kept: it may change without any DAG file.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from orkestra_bridge.ir.attributes import value_of
from orkestra_bridge.ir.places import Interpreter

if TYPE_CHECKING:
    from pathlib import Path

    from orkestra_bridge.frontend.model import Environment
    from orkestra_bridge.ir.model import Task, Workflow

OPERATOR = "ExternalPythonOperator"
ARGUMENT = "python"
TIMEOUT = 30.0
"""Seconds that an interpreter may take to say what it has."""
_PROGRAM = """
import json, sys
from importlib.metadata import distributions
listed, local = {}, []
for each in distributions():
    name = each.metadata["Name"]
    url = json.loads(each.read_text("direct_url.json") or "{}")
    if name in listed or name in local or not name:
        continue
    if url:
        local.append(name)
    else:
        listed[name] = each.version
print(json.dumps(["%d.%d" % sys.version_info[:2], listed, local]))
"""


def with_interpreters(workflow: Workflow, environment: Environment, root: Path) -> Workflow:
    """Return the workflow with the `Interpreter` of each task that names one; of one that cannot be asked, none.

    ``root`` is the DAG folder, to which the workflow's paths below it are relative.
    """
    if not any(_names_one(task.bases) for task in workflow.tasks):
        return workflow
    tasks = (
        replace(task, interpreter=_interpreter(root / path_of(task), environment))
        if _names_one(task.bases)
        else task
        for task in workflow.tasks
    )
    return replace(workflow, tasks=tuple(tasks))


@lru_cache(maxsize=1024)
def _names_one(bases: tuple[str, ...]) -> bool:
    return any(base.startswith("airflow.") and base.rpartition(".")[2] == OPERATOR for base in bases)


def path_of(task: Task) -> str:
    """Return the path of the interpreter as the task names it, empty if it names none."""
    return str(value_of(task.attributes, ARGUMENT) or "")


def _interpreter(path: Path, environment: Environment) -> Interpreter | None:
    if not path.is_file():
        return None
    if path.parent == environment.python.parent:
        return Interpreter(python=".".join(environment.python_version.split(".")[:2]), own=True)
    return _asked(str(path))


@lru_cache(maxsize=64)
def _asked(path: str) -> Interpreter | None:
    try:
        done = subprocess.run(
            [path, "-I", "-c", _PROGRAM], capture_output=True, text=True, timeout=TIMEOUT, check=True
        )
        python, listed, local = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    pins = sorted(f"{name}=={version}" for name, version in listed.items())
    return Interpreter(python=python, requirements=tuple(pins), local=tuple(sorted(local)))
