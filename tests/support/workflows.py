"""Workflows made by hand, for tests that need no Airflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orkestra_bridge.ir.model import Schedule, SourceSpan, Task, Workflow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DOCKER = "airflow.providers.docker.operators.docker.DockerOperator"
POD = "airflow.providers.cncf.kubernetes.operators.pod.KubernetesPodOperator"
BASES = {
    "DockerOperator": (DOCKER, "airflow.sdk.bases.operator.BaseOperator"),
    "KubernetesPodOperator": (POD, "airflow.sdk.bases.operator.BaseOperator"),
    "PythonOperator": (
        "airflow.providers.standard.operators.python.PythonOperator",
        "airflow.sdk.bases.operator.BaseOperator",
    ),
    "EmptyOperator": (
        "airflow.providers.standard.operators.empty.EmptyOperator",
        "airflow.sdk.bases.operator.BaseOperator",
    ),
    "BashOperator": (
        "airflow.providers.standard.operators.bash.BashOperator",
        "airflow.sdk.bases.operator.BaseOperator",
    ),
    "PythonSensor": (
        "airflow.providers.standard.sensors.python.PythonSensor",
        "airflow.sdk.bases.sensor.BaseSensorOperator",
        "airflow.sdk.bases.operator.BaseOperator",
    ),
    "BranchPythonOperator": (
        "airflow.providers.standard.operators.python.BranchPythonOperator",
        "airflow.providers.standard.operators.python.PythonOperator",
        "airflow.sdk.bases.operator.BaseOperator",
    ),
}


def a_task(task_id: str, *upstream: str, operator: str = "PythonOperator", **fields: Any) -> Task:
    """Return a task with an operator that every version knows."""
    line = fields.pop("line", 1)
    return Task(
        task_id=task_id,
        operator=operator,
        bases=fields.pop("bases", BASES.get(operator, ())),
        span=SourceSpan("dag.py", line),
        upstream=tuple(sorted(upstream)),
        **fields,
    )


def a_workflow(*tasks: Task, **fields: Any) -> Workflow:
    """Return a workflow of these tasks, which must stand in topological order."""
    return Workflow(
        dag_id=fields.pop("dag_id", "example"),
        span=SourceSpan("dag.py", 1),
        airflow_version=fields.pop("airflow_version", "3.3.2"),
        schedule=fields.pop("schedule", Schedule()),
        tasks=tasks,
        **fields,
    )


def from_edges(
    names: Sequence[str], edges: Sequence[tuple[str, str]], **of_task: Mapping[str, Any]
) -> Workflow:
    """Return a workflow from a graph; keyword arguments are further fields by task id."""
    upstream: dict[str, list[str]] = {name: [] for name in names}
    for parent, child in edges:
        upstream[child].append(parent)
    return a_workflow(*(a_task(name, *upstream[name], **of_task.get(name, {})) for name in names))
