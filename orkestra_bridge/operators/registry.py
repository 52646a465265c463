"""Which family an operator belongs to.

Airflow 2 and 3 and the standard provider have classes of the same name in different modules, which are not always the
same object; so an operator is known by the names of its class and its ancestors, never by one class object.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, final

from orkestra_bridge.ir.attributes import is_given
from orkestra_bridge.operators.refused import NO_OPERATOR, refusal_of
from orkestra_bridge.operators.rules import UNSUPPORTED_OPERATOR

if TYPE_CHECKING:
    from orkestra_bridge.diagnostics import Finding
    from orkestra_bridge.ir.model import Task, Workflow


class Runs(str, Enum):
    """What executes a task."""

    LAMBDA = "lambda"
    PASS = "pass"  # noqa: S105 - a state type


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A kind of operator.

    Attributes:
        runs: What executes it.
        skips: True if it can skip tasks downstream of it by its own decision.
    """

    name: str
    runs: Runs = Runs.LAMBDA
    skips: bool = False


PYTHON = Family(name="python")
BASH = Family(name="bash")
BRANCH = Family(name="branch", skips=True)
SHORT_CIRCUIT = Family(name="short_circuit", skips=True)
EMPTY = Family(name="empty", runs=Runs.PASS)
EMPTY_WITH_SIDE_EFFECTS = Family(name="empty with callbacks or outlets")
SENSOR = Family(name="sensor")
SENSOR_SKIPPING = Family(name="sensor, may skip", skips=True)
IMAGE = Family(name="image")
CUSTOM = Family(name="custom")
CUSTOM_SKIPPING = Family(name="custom, may skip", skips=True)

_FAMILIES = {
    "BranchPythonOperator": BRANCH,
    "ShortCircuitOperator": SHORT_CIRCUIT,
    "LatestOnlyOperator": BRANCH,
    "BranchDayOfWeekOperator": BRANCH,
    "BranchDateTimeOperator": BRANCH,
    "BaseBranchOperator": BRANCH,
    "BranchPythonVirtualenvOperator": BRANCH,
    "ShortCircuitVirtualenvOperator": SHORT_CIRCUIT,
    "PythonVirtualenvOperator": PYTHON,
    "BranchExternalPythonOperator": BRANCH,
    "ExternalPythonOperator": PYTHON,
    "PythonOperator": PYTHON,
    "BashOperator": BASH,
    "EmptyOperator": EMPTY,
    "DummyOperator": EMPTY,
    "ExternalTaskMarker": EMPTY,
}
_CORE = (
    "airflow.operators.",
    "airflow.providers.standard.operators.",
    "airflow.decorators.",
    "airflow.models.",
    "airflow.sdk.",
    "airflow.providers.standard.decorators.",
    "airflow.providers.standard.sensors.external_task.",
    "airflow.sensors.external_task.",
)
_CORE_SENSORS = ("airflow.sensors.", "airflow.providers.standard.sensors.")
_SKIPPING_BASES = frozenset({"SkipMixin", "BranchMixIn"})


def family_of(task: Task) -> Family | None:
    """Return the family of the task's operator, or None if nothing here runs it (`refused.py` says why).

    An operator of no family of its own is executed as it is, whoever wrote it.
    """
    if refusal_of(task) is not None:
        return None
    if task.image is not None:
        return IMAGE
    family = _by_classes(task.bases)
    if family is EMPTY:
        return _refined(family, task)
    return _custom(task) if family is CUSTOM else family


@lru_cache(maxsize=1024)
def _by_classes(bases: tuple[str, ...]) -> Family | None:
    # Every stage asks for every task, and a DAG folder has few different classes.
    for base in bases:
        module, _, name = base.rpartition(".")
        if f"{module}.".startswith(_CORE) and name in _FAMILIES:
            return _FAMILIES[name]
        if name == "BaseOperator" and f"{module}.".startswith("airflow."):
            return CUSTOM
    return None


def is_core(task: Task) -> bool:
    """Return True if the operator's class is one whose arguments are all known here: Airflow's own."""
    if family_of(task) is None:
        return False
    module, _, name = task.bases[0].rpartition(".")
    if f"{module}.".startswith(_CORE_SENSORS) or name == "TriggerDagRunOperator":
        return True
    return f"{module}.".startswith(_CORE) and (name in _FAMILIES or task.decorator is not None)


def _custom(task: Task) -> Family:
    skipping = any(base.rpartition(".")[2] in _SKIPPING_BASES for base in task.bases)
    sensor = task.polling is not None and not task.polling.resumes
    plain, may_skip = (SENSOR, SENSOR_SKIPPING) if sensor else (CUSTOM, CUSTOM_SKIPPING)
    return may_skip if skipping else plain


def _refined(family: Family, task: Task) -> Family:
    """Return the family of an EmptyOperator or a subclass of it: another one if Airflow would execute it.

    Airflow's scheduler lets it succeed without executing it, unless somebody could notice
    (`TaskInstance.is_task_schedulable`).
    """
    noticed = is_given(task.attributes, "on_execute_callback", "on_success_callback", "inlets", "outlets")
    return EMPTY_WITH_SIDE_EFFECTS if noticed else family


def check_operators(workflow: Workflow) -> tuple[Finding, ...]:
    """Return a finding for each task that nothing here can run."""
    return tuple(finding for task in workflow.tasks for finding in _check(workflow.dag_id, task))


def _check(dag_id: str, task: Task) -> list[Finding]:
    if family_of(task) is not None:
        return []
    refusal = refusal_of(task) or NO_OPERATOR
    return [
        UNSUPPORTED_OPERATOR.at(
            task.span,
            f"{task.operator} cannot be translated: {refusal.why}",
            refusal.remedy,
            dag_id=dag_id,
            task_id=task.task_id,
        )
    ]
