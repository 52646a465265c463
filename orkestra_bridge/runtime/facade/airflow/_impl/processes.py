"""Programs that tasks start (`airflow/utils/process_utils.py`)."""

from __future__ import annotations

import logging
import os
import shlex
import subprocess
from typing import TYPE_CHECKING, Any

from orkestra_bridge.runtime.exported import exported

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

log = logging.getLogger("airflow.utils.process_utils")


def execute_in_subprocess(
    cmd: list[str], cwd: str | None = None, env: Mapping[str, str] | None = None
) -> None:
    """Run a program and log what it writes; raises CalledProcessError if it fails."""
    execute_in_subprocess_with_kwargs(cmd, cwd=cwd, env=env)


def execute_in_subprocess_with_kwargs(cmd: list[str], **kwargs: Any) -> None:
    """Run a program with more arguments of `subprocess.Popen`, as `execute_in_subprocess` does."""
    log.info("Executing cmd: %s", shlex.join(cmd))
    with subprocess.Popen(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kwargs) as program:
        log.info("Output:")
        for line in program.stdout or ():
            log.info("%s", line.decode(errors="replace").rstrip())
    if program.returncode:
        raise subprocess.CalledProcessError(program.returncode, cmd)


def patch_environ(new_env_variables: Mapping[str, str]) -> AbstractContextManager[None]:
    """Set environment variables for the time of a ``with`` block."""
    return exported(new_env_variables)
