"""Virtual environments that a task makes by itself, with uv where there is one, else with venv and pip.

`airflow/providers/standard/utils/python_virtualenv.py`, and `airflow/utils/python_virtualenv.py` of Airflow 2. On AWS the
folder has to be below `/tmp`, and the index of packages has to be reachable.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from airflow._impl.processes import execute_in_subprocess

if TYPE_CHECKING:
    from collections.abc import Sequence


def prepare_virtualenv(  # noqa: PLR0917 - as Airflow has it
    venv_directory: str,
    python_bin: str,
    system_site_packages: bool,
    requirements: Sequence[str] | None = None,
    requirements_file_path: str | None = None,
    pip_install_options: Sequence[str] | None = None,
    index_urls: Sequence[str] | None = None,
) -> str:
    """Make a virtual environment, install packages in it, and return the path of its interpreter.

    Args:
        venv_directory: The folder of the environment.
        python_bin: The interpreter that it is made of.
        system_site_packages: True if it shall see that interpreter's packages.
        requirements: What is to be installed.
        requirements_file_path: A file with what is to be installed.
        pip_install_options: Further options of ``pip install``.
        index_urls: Where packages come from; none of them at all if this is empty.

    Raises:
        ValueError: Requirements are given in both ways.
        CalledProcessError: The environment could not be made.
    """
    if requirements is not None and requirements_file_path is not None:
        raise ValueError("Either requirements OR requirements_file_path has to be passed, but not both")
    if index_urls is not None:
        _configure_pip(Path(venv_directory), index_urls)
    with_uv = bool(shutil.which("uv"))
    seen = ["--system-site-packages"] if system_site_packages else []
    maker = ["uv", "venv", "--allow-existing", "--seed", "--python", python_bin]
    execute_in_subprocess([*(maker if with_uv else [python_bin, "-m", "venv"]), *seen, venv_directory])
    python = f"{venv_directory}/bin/python"
    wanted = [*(requirements or ()), *(["-r", requirements_file_path] if requirements_file_path else [])]
    if wanted:
        installer = ["uv", "pip", "install", "--python", python]
        command = installer if with_uv else [f"{venv_directory}/bin/pip", "install"]
        execute_in_subprocess(
            [*command, *(pip_install_options or ()), *wanted], env=_with_indexes(index_urls or ())
        )
    return python


def _configure_pip(folder: Path, urls: Sequence[str]) -> None:
    """Write the pip.conf that the environment's own pip reads."""
    lines = ["[global]", f"index-url = {urls[0]}" if urls else "no-index = true"]
    if len(urls) > 1:
        lines.append(f"extra-index-url = {' '.join(urls[1:])}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pip.conf").write_text("\n".join(lines), encoding="utf-8")


def _with_indexes(urls: Sequence[str]) -> dict[str, str]:
    """Return the environment in which uv, which reads no pip.conf, takes packages from the indexes."""
    names = {"UV_DEFAULT_INDEX": urls[:1], "UV_INDEX": urls[1:]}
    return {**os.environ, **{name: " ".join(given) for name, given in names.items() if given}}
