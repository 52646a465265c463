"""How uv makes the environments of single functions: in an image, and on this machine."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from orkestra_bridge.ir.places import Environment
from orkestra_bridge.runtime.environments import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FOLDER = "/environments"
"""In an image."""


def environments_in(manifest: Mapping[str, Any]) -> list[Environment]:
    """Return the environments that the tasks of a package need, from its manifest."""
    found = {}
    for task in manifest["workflow"]["tasks"]:
        given = (task.get("container") or {}).get("environment")
        if given:
            fields: dict[str, Any] = {
                name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
            }
            found[given["name"]] = Environment(**fields)
    return list(found.values())


def dockerfile_lines(environments: Sequence[Environment]) -> str:
    """Return the lines that make the environments of functions with uv, which brings other Pythons along."""
    if not environments:
        return ""
    lines = [
        f"ENV UV_PYTHON_INSTALL_DIR=/opt/python {VARIABLE}={FOLDER}",
        "RUN python -m pip install --no-cache-dir --disable-pip-version-check 'uv>=0.5,<1'",
        "COPY environments/ /tmp/environments/",
    ]
    for each in environments:
        make, install = commands_for(each, FOLDER, f"/tmp/environments/{each.name}.txt")  # noqa: S108
        lines.append(f"RUN uv {shlex.join(make)} && uv {shlex.join(install)}")
    return "".join(f"{line}\n" for line in lines)


def commands_for(environment: Environment, folder: str, listing: str) -> tuple[list[str], list[str]]:
    """Return the arguments of uv that make an environment below a folder, and those that install into it.

    ``listing`` is the file with its requirements.
    """
    home = f"{folder}/{environment.name}"
    python = ["--python", environment.python] if environment.python else []
    system = ["--system-site-packages"] if environment.system and not environment.python else []
    index = [word for url in environment.index_urls for word in ("--index", url)]
    install = [
        "pip",
        "install",
        "--python",
        f"{home}/bin/python",
        "-r",
        listing,
        *index,
        *environment.options,
    ]
    return ["venv", *python, *system, home], install
