"""The image in which Airflow itself runs tasks: what is installed in it, in the versions that parsed the DAGs.

Airflow publishes constraints for each of its versions. Those of the environment that parsed the DAGs are taken instead:
its providers may be newer than Airflow's own list, and this set of versions is known to load these DAG files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orkestra_bridge.packaging.distributions import index_of, normalized
from orkestra_bridge.packaging.installer import pins
from orkestra_bridge.packaging.model import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from orkestra_bridge.frontend.model import Environment
    from orkestra_bridge.ir.model import Workflow
    from orkestra_bridge.packaging.model import Requirement

CONSTRAINTS = "constraints.txt"
OLDEST = (3, 10)
"""The oldest Python that the runtime works with."""
_LIST = "https://raw.githubusercontent.com/apache/airflow/constraints-{version}/constraints-{python}.txt"


def python_of(environment: Environment) -> str:
    """Return the Python of the image, such as ``3.11``: the one that parsed the DAGs, or the oldest that works."""
    major, minor = (int(part) for part in environment.python_version.split(".")[:2])
    return ".".join(map(str, max((major, minor), OLDEST)))


def airflow_lines(
    environment: Environment, workflow: Workflow, requirements: Sequence[Requirement]
) -> tuple[str, ...]:
    """Return the lines of the image's requirements file: Airflow, the providers of the tasks, and what the DAG needs."""
    index = index_of(environment.site_packages)
    modules = {
        base.rpartition(".")[0]
        for task in workflow.tasks
        for base in task.bases
        if base.startswith("airflow.providers.")
    }
    owners = {each.name: each.version for module in modules for each in index.owners(module)}
    listed = {normalized(each.name) for each in requirements}
    providers = [f"{name}=={owners[name]}" for name in sorted(owners) if normalized(name) not in listed]
    return (f"apache-airflow=={environment.airflow_version}", *providers, *pins(requirements))


def constraints(environment: Environment, free: Iterable[str] = ()) -> Entry:
    """Return the versions of all that is installed beside Airflow where the DAGs were parsed, without ``free``."""
    left_out = {normalized(name) for name in free}
    where = _LIST.format(version=environment.airflow_version, python=python_of(environment))
    lines = [
        "# What the environment has that parsed the DAGs. Airflow's own list is at",
        f"# {where}",
        *(
            line
            for line in _versions(environment.site_packages)
            if normalized(line.partition("==")[0]) not in left_out
        ),
    ]
    return Entry(CONSTRAINTS, "".join(f"{line}\n" for line in lines).encode())


def _versions(folders: Iterable[Path]) -> list[str]:
    """Return a line for each distribution that came from an index; what was installed from a folder is in no other."""
    found: dict[str, str] = {}
    for folder in folders:
        for place in folder.glob("*.dist-info"):
            name, _, version = place.stem.partition("-")
            if not (place / "direct_url.json").exists():
                found.setdefault(normalized(name), version)
    return [f"{name}=={version}" for name, version in sorted(found.items())]
