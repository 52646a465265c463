"""Tasks whose function runs with a Python and packages of its own: PythonVirtualenvOperator and its kin."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from orkestra_bridge.ir.attributes import value_of
from orkestra_bridge.ir.places import Environment
from orkestra_bridge.operators.other_dags import is_template

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Task, Workflow
    from orkestra_bridge.ir.places import Interpreter, Packages

_OPERATORS = frozenset({"PythonVirtualenvOperator", "ExternalPythonOperator"})
_BY_PATH = "ExternalPythonOperator"
_NAME_LENGTH = 12


def has_environment(task: Task) -> bool:
    """Return True for a task whose function Airflow runs in a virtual environment: it makes one, or finds it."""
    return _derives(task.bases)


@lru_cache(maxsize=1024)
def _derives(bases: tuple[str, ...]) -> bool:
    return any(base.startswith("airflow.") and base.rpartition(".")[2] in _OPERATORS for base in bases)


def names_interpreter(task: Task) -> bool:
    """Return True for a task whose function Airflow runs with an interpreter that is there already."""
    return has_environment(task) and any(base.rpartition(".")[2] == _BY_PATH for base in task.bases)


def environment_of(task: Task) -> Environment | None:
    """Return the environment of a task; None for one that needs none, whose function runs with the function's Python."""
    if not has_environment(task):
        return None
    if names_interpreter(task):
        return _of_interpreter(task.interpreter) if task.interpreter else None
    given = {each.name: each.value for each in task.attributes}
    requirements = _lines(given.get("requirements"))
    version = given.get("python_version")
    if not requirements and not version:
        return None
    fields: dict[str, Any] = {
        "python": str(version) if version else None,
        "requirements": requirements,
        "index_urls": _lines(given.get("index_urls")),
        "options": _lines(given.get("pip_install_options")),
        "system": given.get("system_site_packages", True) is not False,
    }
    return _named(fields)


def _of_interpreter(found: Interpreter) -> Environment | None:
    """Return an environment with all that an interpreter has; None for Airflow's own: it has what the DAG has."""
    if found.own:
        return None
    options = ("--no-deps",) if found.requirements else ()  # the list is complete
    return _named(
        {
            "python": found.python,
            "requirements": found.requirements,
            "index_urls": (),
            "options": options,
            "system": False,
        }
    )


def _named(fields: dict[str, Any]) -> Environment:
    text = json.dumps(fields, sort_keys=True)
    return Environment(name=hashlib.sha256(text.encode()).hexdigest()[:_NAME_LENGTH], **fields)


def unknown_requirements(task: Task) -> str | None:
    """Return why the requirements of a task are not known before it runs, None if they are."""
    value = value_of(task.attributes, "requirements")
    lines = _lines(value)
    if any(map(is_template, lines)):
        return "they are a template"
    if isinstance(value, str) and value.endswith(".txt"):
        return "they are a file that Airflow reads when the task runs"
    if isinstance(value, str) and value.startswith("XCom "):
        return "another task returns them"
    return None


def environments_of(workflow: Workflow, packages: Packages | None = None) -> tuple[Environment, ...]:
    """Return the different environments of a DAG's tasks in containers that have these packages, in their order."""
    found = (
        task.container.environment for task in workflow.tasks if task.container and task.packages == packages
    )
    return tuple(dict.fromkeys(each for each in found if each))


def _lines(value: object) -> tuple[str, ...]:
    """Return requirements, given as a list or as the text of a file, one each."""
    lines = value.splitlines() if isinstance(value, str) else value if isinstance(value, list) else []
    found = (str(line).partition(" #")[0].strip() for line in lines)
    return tuple(line for line in found if line and not line.startswith("#"))
