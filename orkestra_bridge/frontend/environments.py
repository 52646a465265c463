"""The Python with Airflow that parses the DAG files.

The current one, a named one, or one that is made with uv.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orkestra_bridge.errors import EnvironmentSetupError
from orkestra_bridge.frontend.model import Environment
from orkestra_bridge.options import AirflowSource, default_cache

if TYPE_CHECKING:
    from collections.abc import Sequence

_PROBE = """
import json, platform, site, sys, sysconfig
from importlib import metadata
paths = sysconfig.get_paths()
folders = [paths["purelib"], paths["platlib"]]
folders += [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
print(json.dumps({
    "python": platform.python_version(),
    "airflow": version("apache-airflow") or version("apache-airflow-core"),
    "site_packages": sorted(set(folders), key=folders.index),
}))
"""
_PROBE_SECONDS = 60
_INSTALL_SECONDS = 1800
_OLDEST = (2, 7)


def resolve_environment(source: AirflowSource, cache: Path | None) -> Environment:
    """Return the environment that ``source`` asks for; an environment to be made is kept under ``cache``.

    Raises EnvironmentSetupError if there is no such Python, if it has no Airflow of 2.7 or later, or if it
    cannot be made.
    """
    if source.python is not None:
        environment = _probe(_interpreter(source.python), cache)
    elif source.version is not None:
        environment = build_environment(source.version, source.requirements, cache or default_cache())
    else:
        environment = _current()
    version = tuple(int(part) for part in environment.airflow_version.split(".")[:2] if part.isdigit())
    if version < _OLDEST:
        raise EnvironmentSetupError(
            f"Airflow {environment.airflow_version} is too old to be read",
            remedy="name a version from 2.7 on with --airflow-version",
        )
    return environment


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _current() -> Environment:
    airflow = _installed("apache-airflow") or _installed("apache-airflow-core")
    if airflow is None:
        raise EnvironmentSetupError(
            f"{sys.executable} has no Airflow",
            remedy="pip install apache-airflow, or use --airflow-python PATH or --airflow-version X",
        )
    paths = sysconfig.get_paths()
    folders = [paths["purelib"], paths["platlib"]]
    folders += [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    return Environment(
        python=Path(sys.executable),
        python_version=platform.python_version(),
        airflow_version=airflow,
        site_packages=tuple(Path(path) for path in dict.fromkeys(folders)),
    )


def _interpreter(path: Path) -> Path:
    """Return the absolute interpreter for a path, a name on PATH or the folder of a virtual environment."""
    if path.is_dir():
        path = path / "bin" / "python"
    found = shutil.which(path)
    if found is None:
        raise EnvironmentSetupError(
            f"{path} is not a Python interpreter",
            remedy="give --airflow-python the path of an executable such as venv/bin/python",
        )
    # Not resolved: the symbolic link is what tells Python which virtual environment it is in.
    return Path(os.path.abspath(found))  # noqa: PTH100


def _probe(python: Path, cache: Path | None) -> Environment:
    """Ask an interpreter what it is; the answer is kept as long as its folders do not change."""
    note = cache / "environments" / f"{_digest(str(python))}.json" if cache else None
    known = _read_note(note) if note else None
    if known is None:
        known = _ask(python)
        if note is not None:
            _write_note(note, {**known, "stamps": _stamps([str(python), *known["site_packages"]])})
    if known["airflow"] is None:
        raise EnvironmentSetupError(
            f"{python} has no Airflow",
            remedy=f"run: {python} -m pip install apache-airflow, or name another Python",
        )
    return Environment(
        python=python,
        python_version=known["python"],
        airflow_version=known["airflow"],
        site_packages=tuple(Path(path) for path in known["site_packages"]),
    )


_LONGEST_DETAIL = 200
"""Characters; a program that is no Python may say our own program back."""


def _ask(python: Path) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [python, "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        said = (getattr(error, "stderr", None) or "").strip().splitlines()
        detail = f": {said[-1]}" if said and len(said[-1]) < _LONGEST_DETAIL else ""
        raise EnvironmentSetupError(
            f"{python} does not work as a Python interpreter{detail}",
            remedy="give --airflow-python the path of a Python 3.8 or later",
        ) from error
    return answer


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:24]


def _stamps(paths: Sequence[str]) -> dict[str, int]:
    """Return when each path changed.

    Installing or removing a distribution changes its site-packages folder.
    """
    return {path: Path(path).stat().st_mtime_ns for path in paths if Path(path).exists()}


def _read_note(note: Path) -> dict[str, Any] | None:
    try:
        known: dict[str, Any] = json.loads(note.read_text())
        return known if _stamps(list(known["stamps"])) == known["stamps"] else None
    except (OSError, ValueError, KeyError):
        return None


def _write_note(note: Path, known: dict[str, Any]) -> None:
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=note.parent, delete=False) as stream:
            json.dump(known, stream, sort_keys=True)
        Path(stream.name).replace(note)
    except OSError:
        return  # a cache that cannot be written is no cache


def _python_for(airflow: str) -> str:
    """Return a Python that this Airflow installs on.

    Our own if it does, else 3.11 (measured, all of 2.7 to 3.3 do).
    """
    parts = [int(part) for part in airflow.split(".")[:2] if part.isdigit()]
    newest = (3, 13) if parts >= [3, 1] else (3, 12) if parts >= [2, 9] else (3, 11)
    return sys.executable if (3, 10) <= sys.version_info[:2] <= newest else "3.11"


def find_uv() -> Path | None:
    """Return the uv program: the one that came with this package's dependencies, else the one on PATH."""
    try:
        from uv import find_uv_bin

        return Path(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
        return Path(found) if found else None


def build_environment(
    version: str, requirements: Path | None, cache: Path, *, uv: Path | None = None
) -> Environment:
    """Return an environment with this Airflow and the requirements, made by uv unless it is in the cache.

    Raises EnvironmentSetupError if uv is not there or fails; its last words are in the message.
    """
    if requirements is not None and not requirements.is_file():
        raise EnvironmentSetupError(f"{requirements} does not exist", remedy="give --requirements a file")
    python = _python_for(version)
    wanted = requirements.read_text() if requirements else ""
    folder = cache / "airflow" / f"{version}-{_digest(version, python, wanted)}"
    if not (folder / "bin" / "python").exists():
        program = uv or find_uv()
        if program is None:
            raise EnvironmentSetupError(
                "--airflow-version needs uv, which is not installed",
                remedy="pip install uv, or use --airflow-python PATH",
            )
        _make(program, python, version, requirements, folder)
    return _probe(folder / "bin" / "python", cache)


def _make(uv: Path, python: str, version: str, requirements: Path | None, folder: Path) -> None:
    """Make the environment beside its place and move it there, so that it is complete or absent."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as scratch:
        made = Path(scratch) / "env"
        _run_uv(uv, "venv", "--quiet", "--python", python, str(made))
        extra = ["-r", str(requirements)] if requirements else []
        target = str(made / "bin" / "python")
        _run_uv(
            uv,
            "pip",
            "install",
            "--quiet",
            "--compile-bytecode",
            "--python",
            target,
            f"apache-airflow=={version}",
            *extra,
        )
        try:
            made.rename(folder)
        except OSError:
            if not folder.exists():  # else: another process made the same one meanwhile
                raise


def _run_uv(uv: Path, *arguments: str) -> None:
    try:
        subprocess.run(
            [uv, *arguments],
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
            check=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError) as error:
        words = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        raise EnvironmentSetupError(
            f"uv {' '.join(arguments[:2])} failed: {' '.join(words[-3:])}",
            remedy="check the version and the network, or use --airflow-python with an existing environment",
        ) from error
