"""What this tool needs around it, looked at on this machine: nothing is changed, and nothing leaves it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, final

from orkestra_bridge.errors import BridgeError
from orkestra_bridge.frontend.environments import find_uv, resolve_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from orkestra_bridge.options import AirflowSource

Status = Literal["ok", "warning", "error"]
_SECONDS = 20
_OLDEST_NODE = 20
"""Of the versions of Node that jsii, on which the CDK runs, supports."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at; ``warning`` is for what only some commands need."""

    name: str
    status: Status
    found: str
    needed_by: str
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {name: getattr(self, name) for name in self.__slots__}


def checkup(
    source: AirflowSource, cache: Path, aws: Callable[[], tuple[str | None, str | None]]
) -> Iterator[Check]:
    """Yield a check for each thing that is needed.

    Args:
        source: Which Airflow parses the DAG files.
        cache: The folder for caches.
        aws: Returns where credentials come from and the region, None for what is missing.
    """
    python = ".".join(map(str, sys.version_info[:3]))
    yield Check(name="Python", status="ok", found=python, needed_by="every command")
    yield _airflow(source, cache)
    yield _uv()
    yield _cache(cache)
    yield _node()
    yield from _aws(*aws())


def _airflow(source: AirflowSource, cache: Path) -> Check:
    needed_by = "convert, assess, explain"
    try:
        environment = resolve_environment(source, cache)
    except BridgeError as problem:
        return Check(
            name="Airflow", status="error", found=problem.message, needed_by=needed_by, remedy=problem.remedy
        )
    found = f"{environment.airflow_version} on Python {environment.python_version} ({environment.python})"
    return Check(name="Airflow", status="ok", found=found, needed_by=needed_by)


def _uv() -> Check:
    uv = find_uv()
    needed_by = "convert (layers), --airflow-version"
    if uv is None:
        return Check(
            name="uv",
            status="error",
            found="none",
            needed_by=needed_by,
            remedy="pip install uv, or put it on PATH",
        )
    return Check(
        name="uv", status="ok", found=_version([str(uv), "--version"]) or str(uv), needed_by=needed_by
    )


def _cache(cache: Path) -> Check:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        probe = cache / ".checkup"
        probe.touch()
        probe.unlink()
    except OSError as problem:
        return Check(
            name="cache", status="warning", found=f"{cache}: {problem.strerror}", needed_by="convert, assess (speed)",
            remedy="--cache-dir names another folder, --no-cache does without",
        )  # fmt: skip
    return Check(name="cache", status="ok", found=str(cache), needed_by="convert, assess (speed)")


def _node() -> Check:
    node = shutil.which("node")
    version = _version([node, "--version"]) if node else None
    remedy = f"install Node.js {_OLDEST_NODE} or later, if you use the CDK construct"
    major = version.lstrip("v").partition(".")[0] if version else ""
    if not major.isdigit() or int(major) < _OLDEST_NODE:
        return Check(
            name="Node.js", status="warning", found=version or "none", needed_by="the CDK", remedy=remedy
        )
    return Check(name="Node.js", status="ok", found=str(version), needed_by="the CDK")


def _aws(credentials: str | None, region: str | None) -> Iterator[Check]:
    needed_by = "secrets, and what deploys"
    yield Check(
        name="AWS credentials",
        status="ok" if credentials else "warning",
        found=f"from {credentials}, not tried" if credentials else "none",
        needed_by=needed_by,
        remedy=""
        if credentials
        else "aws configure, AWS_PROFILE, or nothing as long as you only run locally",
    )
    yield Check(
        name="AWS region",
        status="ok" if region else "warning",
        found=region or "none",
        needed_by=needed_by,
        remedy="" if region else "set AWS_DEFAULT_REGION, or `aws configure set region`",
    )


def _version(command: list[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
