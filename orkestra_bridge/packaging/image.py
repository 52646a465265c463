"""The build context of the image that runs tasks in a container: the same package as the function's, and a Dockerfile.

Nothing is built here. `docker build` makes the image from the folder, or CDK does when it deploys; the image's tag is a
hash of the context, so that a template names exactly what belongs to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

from orkestra_bridge.packaging.archive import shared_entries, tree_hash
from orkestra_bridge.packaging.distributions import normalized
from orkestra_bridge.packaging.environments import dockerfile_lines
from orkestra_bridge.packaging.installer import pins
from orkestra_bridge.packaging.model import Entry
from orkestra_bridge.packaging.real_airflow import CONSTRAINTS, airflow_lines, constraints, python_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orkestra_bridge.frontend.model import Environment as Python
    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.ir.places import Environment, Packages
    from orkestra_bridge.options import Target
    from orkestra_bridge.packaging.model import LambdaPackage, Requirement

ENTRY_POINT = "orkestra_bridge.runtime.container"
USER = 10001
"""A user id that no image and no system gives to anybody."""
_BOUNDS = "requirements-constraints.txt"
_BOTO3 = "boto3>=1.34,<2"
"""What the entry point answers with, unless the DAG's own requirements bring it."""


@final
@dataclass(frozen=True, slots=True)
class BuildContext:
    """The files of a build context, their paths relative to it, and the tag of the image that they make.

    ``suffix`` tells it apart from the DAG's others, as in `operators/images.py`.
    """

    entries: tuple[Entry, ...]
    tag: str
    suffix: str = ""

    @property
    def folder(self) -> str:
        """The folder that it is written to."""
        return f"container-{self.suffix}" if self.suffix else "container"


def build_context(
    package: LambdaPackage,
    target: Target,
    base: str | None = None,
    suffix: str = "",
    *,
    environments: Sequence[Environment] = (),
    packages: Packages | None = None,
) -> BuildContext:
    """Return a build context for a DAG's package.

    ``base`` is the user's image below ours, None for the usual one; ``environments`` are those of single functions,
    ``packages`` those of the tasks that run in it, None for the DAG's.
    """
    requirements, bounds = _wanted(package, packages)
    own = (
        *_listing(pins(requirements), bounds),
        *(
            Entry(
                f"environments/{each.name}.txt", "".join(f"{line}\n" for line in each.requirements).encode()
            )
            for each in environments
        ),
    )
    return _context(_dockerfile(package.dag_id, target, base, environments), own, package, suffix)


def airflow_context(
    package: LambdaPackage,
    workflow: Workflow,
    parsed_with: Python,
    target: Target,
    suffix: str,
    *,
    packages: Packages | None = None,
) -> BuildContext:
    """Return the build context of the image that has Airflow itself, the one that parsed the DAGs: ``parsed_with``.

    ``packages`` as in `build_context`.
    """
    requirements, bounds = _wanted(package, packages)
    lines = airflow_lines(parsed_with, workflow, requirements)
    named = [each.name for each in requirements if each.line]
    own = (*_listing(lines, bounds), constraints(parsed_with, named))
    dockerfile = _airflow_dockerfile(package.dag_id, target, python_of(parsed_with))
    return _context(dockerfile, own, package, suffix)


def _wanted(
    package: LambdaPackage, packages: Packages | None
) -> tuple[tuple[Requirement, ...], tuple[str, ...]]:
    """Return what an image needs, and the constraints for that."""
    found = next((each for each in package.of_tasks if each.given == packages), None)
    if found is None:
        return package.requirements, ()
    return found.requirements, found.constraints


def _listing(lines: tuple[str, ...], bounds: tuple[str, ...]) -> tuple[Entry, ...]:
    """Return the requirements file of an image, and the constraints that it names, if there are some."""
    if not bounds:
        return (Entry("requirements.txt", _requirements(lines)),)
    return (
        Entry("requirements.txt", _requirements((f"-c {_BOUNDS}", *lines))),
        Entry(_BOUNDS, "".join(f"{line}\n" for line in bounds).encode()),
    )


def _context(dockerfile: str, own: tuple[Entry, ...], package: LambdaPackage, suffix: str) -> BuildContext:
    entries = (
        Entry("Dockerfile", dockerfile.encode()),
        Entry(".dockerignore", b"**/__pycache__\n**/*.pyc\n"),
        *own,
        *(replace(each, path=f"app/{each.path}") for each in (*shared_entries(), *package.entries)),
    )
    return BuildContext(entries, tree_hash(entries)[:32], suffix)


def _requirements(lines: tuple[str, ...]) -> bytes:
    if not any(normalized(line.partition("==")[0]) == "boto3" for line in lines):
        lines = (*lines, _BOTO3)
    return "".join(f"{line}\n" for line in lines).encode()


def _dockerfile(dag_id: str, target: Target, base: str | None, environments: Sequence[Environment]) -> str:
    python, root = "python", ""
    if base:
        # its own user, folder and entry point may be anything
        python, root = "python3", "USER root\n"
    return f"""\
{_head(dag_id, target)}FROM {base or _usual(target.python)}

{root}WORKDIR /app
COPY requirements*.txt /tmp/
RUN {python} -m pip install --no-cache-dir --disable-pip-version-check -r /tmp/requirements.txt
{dockerfile_lines(environments)}COPY app/ /app/

{_user(base)}
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 TZ=UTC
ENTRYPOINT ["{python}", "-m", "{ENTRY_POINT}"]
"""


def _airflow_dockerfile(dag_id: str, target: Target, python: str) -> str:
    return f"""\
{_head(dag_id, target)}#
# It has Airflow itself, for the tasks of which the report says so.
FROM {_usual(python)}

WORKDIR /app
COPY requirements*.txt {CONSTRAINTS} /tmp/
RUN python -m pip install --no-cache-dir --disable-pip-version-check -r /tmp/requirements.txt -c /tmp/{CONSTRAINTS}
COPY app/ /app/

{_user(None)}
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 TZ=UTC AIRFLOW_HOME=/tmp/airflow
ENTRYPOINT ["python", "-m", "{ENTRY_POINT}"]
"""


def _head(dag_id: str, target: Target) -> str:
    machine = "arm64" if target.architecture == "arm64" else "amd64"
    return f"""\
# Runs tasks of the Airflow DAG {dag_id} on ECS Fargate.
#
#   docker build --platform linux/{machine} -t REPOSITORY:TAG . && docker push REPOSITORY:TAG
#
# TAG is the default of the template's parameter ContainerImageTag.
"""


def _usual(python: str) -> str:
    return f"public.ecr.aws/docker/library/python:{python}-slim"


def _user(base: str | None) -> str:
    if base:  # it may have no useradd, and its tasks may count on being root
        return f"# USER {USER}"
    return f"RUN useradd --uid {USER} --create-home task\nUSER {USER}"
