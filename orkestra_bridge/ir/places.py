"""Where a task runs that does not run in the DAG's function: images, containers, and the Pythons of functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterValue:
    """What a container has of its surroundings that a Kubernetes cluster keeps.

    Attributes:
        argument: The operator's argument that says so.
        kind: ``secret``, ``configmap``, or else what kind of source it is.
        name: Of the Secret or ConfigMap; empty where there is none.
        key: None for all keys of it.
        variable: The environment variable that has the value; None where each key is one, or files are.
        path: The folder that has the keys as files, or None.
        optional: True if the container starts without the value, too.
    """

    argument: str
    kind: str
    name: str = ""
    key: str | None = None
    variable: str | None = None
    path: str | None = None
    optional: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """The image of the user's that a task of DockerOperator or KubernetesPodOperator runs in.

    Attributes:
        kind: ``docker`` or ``kubernetes``.
        executed_by: Qualified name of the class whose ``execute()`` the operator has.
        reference: The image as the operator has it, which may be a template; None where only the run knows.
        entry_point: What is run instead of the image's own; words may be templates.
        wraps: True if it is the user's, and can be called around the image: until its start, and with its result.
        python: True for ``@task.docker`` and ``@task.kubernetes``: the image is the place for a Python function.
        scratch: Where a folder for temporary files is mounted.
        result: The file in the container that the XCom is read from.
        terminal: True if it has a pseudo-terminal.
        overridden: Methods of the provider's operator that the user's classes have of their own, as ``Class.method``.
        listens: True if a callback of the user's gets the lines of its log while it runs.
        cpu, memory: How much is asked for, as the user wrote it.
        cluster: What a Kubernetes cluster would give it; of values for the same variable, the last one.
    """

    kind: str
    executed_by: str
    reference: str | None = None
    entry_point: tuple[str, ...] | None = None
    wraps: bool = False
    python: bool = False
    working_directory: str | None = None
    user: str | None = None
    scratch: str | None = None
    result: str | None = None
    terminal: bool = False
    overridden: tuple[str, ...] = ()
    listens: bool = False
    cpu: tuple[Any, ...] = ()
    memory: tuple[Any, ...] = ()
    cluster: tuple[ClusterValue, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A Python with packages for the function of one task or several.

    Attributes:
        name: What it is called in an image; the same for the same content.
        python: The version, such as ``3.9``; None for that of the image.
        requirements: Lines of a requirements file.
        index_urls, options: Where packages come from, and what else pip is told.
        system: True if the packages of the image may be imported, too.
    """

    name: str
    python: str | None = None
    requirements: tuple[str, ...] = ()
    index_urls: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    system: bool = True


@final
@dataclass(frozen=True, slots=True)
class Packages:
    """Third-party packages that the configuration gives some tasks, besides those of their DAG.

    Attributes:
        number: What belongs to them ends with it, from 2 on, as the DAG has its own ones.
        file: The requirements file that names them, as the configuration has it.
    """

    number: int
    file: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """What an interpreter has that a task names by its path.

    Attributes:
        python: Its version, such as ``3.11``.
        requirements: Its distributions, as lines of a requirements file.
        local: Names of those that came from a folder or an address, and so cannot be had from an index.
        own: True if it is the one that has Airflow.
    """

    python: str
    requirements: tuple[str, ...] = ()
    local: tuple[str, ...] = ()
    own: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """Where a task runs that does not run in the DAG's function: a task of ECS on Fargate.

    The image is one with the DAG's package in it, unless the task has one of its own.

    Attributes:
        reason: Why, as the end of a sentence.
        attribute: The Airflow argument that led to it, or None.
        cpu: CPU units, 1,024 to the vCPU.
        memory: MiB.
        environment: The Python of the task's function, None for that of the image.
        base: The image of the user's that the DAG's image is built on, None for the usual one.
        airflow: True if Airflow itself runs the task, and not the facade: its image has it.
        alone: True if the function cannot load the DAG's file, so that it cannot help when the container is killed.
    """

    reason: str
    attribute: str | None = None
    cpu: int = 512
    memory: int = 1024
    base: str | None = None
    environment: Environment | None = None
    airflow: bool = False
    alone: bool = False
