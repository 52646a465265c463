"""Operators of Airflow and its providers that are known not to work in a Lambda function, each with reason and remedy.

Everything else runs its own `execute()` there. Classes of the user's on top of one of these are meant too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from orkestra_bridge.ir.model import Task
    from orkestra_bridge.ir.places import Image


@final
@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an operator cannot run, and what to do instead."""

    why: str
    remedy: str


_IN_A_TASK = (
    "do its work in a @task function (hooks and boto3 are ordinary Python), or keep this DAG on Airflow"
)
_IMAGE = Refusal(
    "it starts what no single ECS task is",
    "make it a DockerOperator or a KubernetesPodOperator, which run on Fargate",
)
_PERSON = Refusal(
    "it waits for an answer on Airflow's pages",
    "ask by your own means in a @task, or keep this DAG on Airflow",
)


def _program(name: str, instead: str) -> Refusal:
    return Refusal(f"it starts the program {name}, which no Lambda function has", instead)


BY_BASE = {
    "FileSensor": Refusal(
        "it looks for a file on a disk that all workers share, and Lambda functions share none",
        "wait for an object in S3 with S3KeySensor, or mount EFS into the function and poll in a @task.sensor",
    ),
    "SubDagOperator": Refusal("it is a DAG of its own (Airflow removed it)", "make it a TaskGroup"),
    "DockerSwarmOperator": _IMAGE,
    "KubernetesJobOperator": _IMAGE,
    "_KubernetesCmdDecoratedOperator": Refusal(
        "its function makes the command of an image",
        "make the command in a @task, and give it to a KubernetesPodOperator",
    ),
    "SparkKubernetesOperator": Refusal(
        "it starts a Spark application on a Kubernetes cluster",
        "use EmrServerlessStartJobOperator or EMR on EKS",
    ),
    "HITLOperator": _PERSON,
    "SparkSubmitOperator": _program("spark-submit", "use EmrServerlessStartJobOperator or GlueJobOperator"),
    "SparkSqlOperator": _program("spark-sql", "use EmrServerlessStartJobOperator or AthenaOperator"),
    "HiveOperator": _program("hive", "use AthenaOperator or EmrAddStepsOperator"),
    "PigOperator": _program("pig", "use EmrAddStepsOperator"),
    "SqoopOperator": _program("sqoop", "use GlueJobOperator or DmsStartTaskOperator"),
}
"""Name of a class below `airflow` -> why it and all that inherits from it is refused."""


_IMAGE_MODULES = (
    "airflow.providers.docker.operators.docker.",
    "airflow.providers.docker.decorators.docker.",
    "airflow.providers.cncf.kubernetes.operators.pod.",
    "airflow.providers.cncf.kubernetes.operators.kubernetes_pod.",
    "airflow.providers.cncf.kubernetes.decorators.kubernetes.",
    # around the pod, these ask for the credentials of a cluster
    "airflow.providers.amazon.aws.operators.eks.",
    "airflow.providers.google.cloud.operators.kubernetes_engine.",
)
"""Modules of the classes that do nothing but start the image."""

NO_OPERATOR = Refusal("it is not based on BaseOperator", _IN_A_TASK)


def refusal_of(task: Task) -> Refusal | None:
    """Return why the task's operator cannot run in a Lambda function, None if nothing is known against it."""
    known = _known_against(task.bases)
    image = task.image
    if known is not None or image is None or image.executed_by.startswith(_IMAGE_MODULES):
        return known
    return None if image.wraps and not image.python else _own_execute(image)


def _own_execute(image: Image) -> Refusal:
    name = image.executed_by.rpartition(".")[2]
    return Refusal(
        f"its image runs on Fargate, where {name}.execute() cannot run around it: it is left when the image starts",
        "let it call super().execute(context) once, in no loop and no try or with block, or do what it does in tasks of "
        "their own",
    )


@lru_cache(maxsize=1024)
def _known_against(bases: tuple[str, ...]) -> Refusal | None:
    # Every stage asks for every task, and a DAG folder has few different classes.
    for base in bases:
        module, _, name = base.rpartition(".")
        if f"{module}.".startswith("airflow.") and name in BY_BASE:
            return BY_BASE[name]
    return None
